import { h, setText } from '../dom';
import { bytes, count } from '../format';
import type { Source } from '../source';
import type { ActorRow, Actors, HandFault, LinkRow } from '../types';
import type { Page } from './page';

const linksShown = 100;
const actorHead = ['actor', 'place', 'incarnation', 'weight version', 'mailbox', 'dropped messages'];
const linkHead = ['from', 'to', 'messages', 'tensor bytes', 'lost'];

interface Button { text: string; label: string; refused: string; act: () => void }

/** A table whose rows stay where they are while their texts change, so that the focus stays on a button. */
class Rows {
  readonly element: HTMLElement;
  private readonly body = h('tbody');
  private readonly rows = new Map<string, HTMLElement[]>();
  private shape = '';

  constructor(private readonly name: string, private readonly head: string[]) {
    this.element = h('div');
  }

  set(rows: { key: string; texts: string[]; buttons: () => Button[] }[], hasButtons: boolean): void {
    const shape = `${hasButtons} ${rows.map(row => row.key).join()}`;
    if (shape !== this.shape) {
      this.shape = shape;
      this.rows.clear();
      this.body.replaceChildren(...rows.map(row => this.add(row.key, hasButtons ? row.buttons() : [])));
      const heads = [...this.head, ...(hasButtons ? ['bring about'] : [])].map(text => h('th', { scope: 'col' }, text));
      this.element.replaceChildren(h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': this.name },
        h('table', {}, h('thead', {}, h('tr', {}, ...heads)), this.body)));
    }
    for (const row of rows) {
      const cells = this.rows.get(row.key)!;
      row.texts.forEach((text, column) => setText(cells[column]!, text));
    }
  }

  private add(key: string, buttons: Button[]): HTMLElement {
    const cells = this.head.map((_, column) => (column === 0 ? h('th', { scope: 'row' }) : h('td')));
    this.rows.set(key, cells);
    return h('tr', {}, ...cells, buttons.length > 0 ? h('td', { class: 'buttons' }, ...buttons.map(button => h('button', {
      type: 'button', 'aria-label': button.label, disabled: button.refused !== '', title: button.refused || undefined, click: button.act,
    }, button.text))) : null);
  }
}

/** Where actors are and how they do, with buttons for the faults that the engine can bring about. */
export function actors(source: Source, id: string, controls: boolean, onState: (connected: boolean) => void): Page {
  const table = new Rows('Actors', actorHead);
  const links = new Rows('Links', linkHead);
  const told = h('p', { role: 'status', class: 'told' });
  const reasons = h('ul', { class: 'muted reasons' });
  const nothing = h('p', { hidden: true },
    'Only a run of the same process can be looked into, and this one is over or runs elsewhere. ', h('code', {}, 'disttrain train --dashboard --controls'),
    ' shows its actors while it runs, with buttons to crash, pause or slow them and to cut their links.');
  const silent = h('p', { hidden: true }, 'This engine does not tell how its actors do.');
  const silentLinks = h('p', { class: 'muted', hidden: true }, 'This engine does not tell what passes between its actors.');
  const moreLinks = h('p', { class: 'muted', hidden: true });
  const off = h('p', { class: 'muted', hidden: true }, 'Buttons to disturb actors are off; ', h('code', {}, '--controls'), ' turns them on.');
  const shown = h('div', { hidden: true }, table.element, told, off, reasons, h('h2', {}, 'Links'), links.element, silentLinks, moreLinks);
  const element = h('main', { id: 'main' }, h('h1', {}, `${id}: actors`), nothing, silent, shown);
  let names: string[] = [];
  let known: ActorRow[] = [];

  async function bring(fault: HandFault, actor: number, peer?: number): Promise<void> {
    const what = `${fault.name}: ${names[actor]}${peer === undefined ? '' : ` → ${names[peer]}`}`;
    setText(told, `${what} …`);
    try {
      const problem = await source.fault(id, fault.name, actor, peer);
      setText(told, problem === null ? `${what}, at incarnation ${known[actor]?.incarnation ?? '–'}` : `${what}: ${problem}`);
    } catch (problem) {
      setText(told, `${what}: ${problem instanceof Error ? problem.message : String(problem)}`);
    }
  }

  function actorRow(actor: ActorRow, faults: HandFault[]): { key: string; texts: string[]; buttons: () => Button[] } {
    return {
      key: String(actor.index),
      texts: [
        actor.name, actor.place, actor.incarnation > 0 ? String(actor.incarnation) : 'down', actor.version >= 0 ? count(actor.version) : '–',
        count(actor.mailbox), count(actor.dropped),
      ],
      buttons: () => faults.flatMap((fault, index) => (fault.needsPeer ? [] : [{
        text: fault.words, label: `${fault.words} ${actor.name}`, refused: actor.refused[index] ?? '', act: () => void bring(fault, actor.index),
      }])),
    };
  }

  function linkRow(link: LinkRow, faults: HandFault[]): { key: string; texts: string[]; buttons: () => Button[] } {
    return {
      key: `${link.from}-${link.to}`,
      texts: [names[link.from] ?? '', names[link.to] ?? '', count(link.messages), bytes(link.bytes), count(link.lost)],
      buttons: () => faults.flatMap((fault, index) => (fault.needsPeer ? [{
        text: fault.words, label: `${fault.words} ${names[link.from]} to ${names[link.to]}`, refused: known[link.from]?.refused[index] ?? '',
        act: () => void bring(fault, link.from, link.to),
      }] : [])),
    };
  }

  /** What cannot be done, and why: a disabled button says nothing to a keyboard. */
  function tellRefusals(view: Actors): void {
    const lines = view.faults.flatMap((fault, index) => {
      const refusers = new Map<string, string[]>();
      for (const actor of view.actors) {
        const reason = actor.refused[index];
        if (reason) {
          refusers.set(reason, [...(refusers.get(reason) ?? []), actor.name]);
        }
      }
      return [...refusers].map(([reason, whom]) => `${fault.words}${whom.length === view.actors.length ? '' : `, ${whom.slice(0, 3).join(', ')}${whom.length > 3 ? ' …' : ''}`}: ${reason}.`);
    });
    if (reasons.childElementCount !== lines.length) {
      reasons.replaceChildren(...lines.map(line => h('li', {}, line)));
    }
  }

  function show(view: Actors | null): void {
    nothing.hidden = view !== null;
    silent.hidden = view === null || view.actors.length > 0;
    shown.hidden = view === null || view.actors.length === 0;
    if (view === null || view.actors.length === 0) {
      return;
    }
    known = view.actors;
    names = view.actors.map(actor => actor.name);
    const faults = controls ? view.faults : [];
    off.hidden = controls;
    if (controls) {
      tellRefusals(view);
    }
    table.set(view.actors.map(actor => actorRow(actor, faults)), controls);
    const busiest = view.links.length <= linksShown ? view.links
      : [...view.links].sort((a, b) => b.bytes - a.bytes || b.messages - a.messages).slice(0, linksShown).sort((a, b) => a.from - b.from || a.to - b.to);
    links.element.hidden = busiest.length === 0;
    silentLinks.hidden = busiest.length > 0;
    moreLinks.hidden = view.links.length <= linksShown;
    setText(moreLinks, `The ${linksShown} busiest of ${count(view.links.length)} links.`);
    if (busiest.length > 0) {
      links.set(busiest.map(link => linkRow(link, faults)), controls);
    }
  }

  const leave = source.watch(id, { actors: show }, onState);
  return { title: `${id}: actors`, element, dispose: leave };
}
