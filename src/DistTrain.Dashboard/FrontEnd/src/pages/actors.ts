import { h, setText, table } from '../dom';
import { bytes, count } from '../format';
import type { Source } from '../source';
import type { ActorRow, Actors } from '../types';
import type { Page } from './page';

const linksShown = 100;
const head = ['actor', 'place', 'incarnation', 'weight version', 'mailbox', 'dropped messages'];
const words: Record<string, string> = { crash: 'Crash', suspect: 'Suspect' };

/** Where actors are and how they do, with buttons for the faults that the engine can bring about. */
export function actors(source: Source, id: string, controls: boolean, onState: (connected: boolean) => void): Page {
  const body = h('tbody');
  const headRow = h('tr');
  const links = h('div');
  const told = h('p', { role: 'status', class: 'told' });
  const silent = h('p', { hidden: true }, 'This engine does not tell how its actors do; what passes between them is below.');
  const nothing = h('p', { hidden: true },
    'Only a run of the same process can be looked into, and this one is over or runs elsewhere. ', h('code', {}, 'disttrain train --dashboard --controls'),
    ' shows its actors while it runs, with buttons to crash them.');
  const off = h('p', { class: 'muted', hidden: true }, 'Buttons to crash actors are off; ', h('code', {}, '--controls'), ' turns them on.');
  const shown = h('div', { hidden: true },
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Actors' }, h('table', {}, h('thead', {}, headRow), body)), told, off,
    h('h2', {}, 'Links'), links);
  const element = h('main', { id: 'main' }, h('h1', {}, `${id}: actors`), nothing, silent, shown);
  const rows = new Map<number, HTMLElement[]>();
  let faults = '';

  async function bring(actor: ActorRow, fault: string): Promise<void> {
    setText(told, `${fault}: ${actor.name} …`);
    try {
      const problem = await source.fault(id, actor.index, fault);
      setText(told, problem === null ? `${fault}: ${actor.name} at incarnation ${actor.incarnation}` : `${fault}: ${actor.name}: ${problem}`);
    } catch (problem) {
      setText(told, `${fault}: ${actor.name}: ${problem instanceof Error ? problem.message : String(problem)}`);
    }
  }

  function add(actor: ActorRow, buttons: string[]): HTMLElement[] {
    const cells = head.map((_, column) => (column === 0 ? h('th', { scope: 'row' }) : h('td')));
    const row = h('tr', {}, ...cells);
    if (buttons.length > 0) {
      row.append(h('td', { class: 'buttons' }, ...buttons.map(fault => h('button', {
        type: 'button', 'aria-label': `${words[fault] ?? fault} ${actor.name}`, disabled: actor.name === 'coordinator' && fault === 'crash',
        click: () => void bring(actor, fault),
      }, words[fault] ?? fault))));
    }
    body.append(row);
    return cells;
  }

  function show(view: Actors | null): void {
    nothing.hidden = view !== null;
    silent.hidden = view === null || view.actors.length > 0;
    shown.hidden = view === null;
    if (view === null) {
      return;
    }
    const buttons = controls ? view.faults : [];
    off.hidden = controls || view.faults.length === 0;
    if (faults !== buttons.join() || rows.size !== view.actors.length) {
      faults = buttons.join();
      rows.clear();
      body.replaceChildren();
      headRow.replaceChildren(...[...head, ...(buttons.length > 0 ? ['bring about'] : [])].map(text => h('th', { scope: 'col' }, text)));
    }
    for (const actor of view.actors) {
      let cells = rows.get(actor.index);
      if (!cells) {
        rows.set(actor.index, cells = add(actor, buttons));
      }
      [
        actor.name, actor.place, actor.incarnation > 0 ? String(actor.incarnation) : 'down', actor.version >= 0 ? count(actor.version) : '–',
        count(actor.mailbox), count(actor.dropped),
      ].forEach((text, column) => setText(cells[column]!, text));
    }
    const busiest = [...view.links].sort((a, b) => b.bytes - a.bytes || b.messages - a.messages).slice(0, linksShown);
    links.replaceChildren(table(['from', 'to', 'messages', 'tensor bytes'], busiest.map(link => [link.from, link.to, count(link.messages), bytes(link.bytes)]), 'Links', true));
  }

  const leave = source.watch(id, { actors: show }, onState);
  return { title: `${id}: actors`, element, dispose: leave };
}
