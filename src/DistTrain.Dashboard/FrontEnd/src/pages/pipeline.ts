import { h, setText, table, tile } from '../dom';
import { count, figure, percent } from '../format';
import type { Source } from '../source';
import { TimelineView } from '../timeline';
import type { Pipeline } from '../types';
import type { Page } from './page';

/** The last steps on a timeline, the bubble beside its formula, and how old gradients are. */
export function pipeline(source: Source, id: string, onState: (connected: boolean) => void): Page {
  const steps = tile('steps shown');
  const measured = tile('bubble');
  const formula = tile('(p − 1)/(m + p − 1)');
  const sizes = tile('p stages, m batches');
  const view = new TimelineView('The last steps');
  const staleness = h('div');
  const nothing = h('p', { hidden: true },
    'Nothing recorded what this run spent its time on. ', h('code', {}, 'disttrain train --dashboard'), ' shows it while it runs, ',
    h('code', {}, 'disttrain train --trace'), ' keeps it in the run folder.');
  const held = h('button', { type: 'button', 'aria-pressed': 'false', click: () => hold() }, 'Hold');
  const note = h('p', { class: 'muted' });
  const shown = h('div', {}, h('dl', { class: 'tiles' }, ...[steps, measured, formula, sizes].map(one => one.element)), source.isLive ? h('p', {}, held) : null, view.element, note, staleness);
  const element = h('main', { id: 'main' }, h('h1', {}, `${id}: pipeline`), nothing, shown);
  let isHeld = false;
  let latest: Pipeline | null = null;

  function hold(): void {
    isHeld = !isHeld;
    held.setAttribute('aria-pressed', String(isHeld));
    if (!isHeld) {
      show();
    }
  }

  function show(): void {
    nothing.hidden = latest !== null;
    shown.hidden = latest === null;
    if (latest === null) {
      return;
    }
    steps.set(latest.lastStep > 0 ? `${count(latest.firstStep)} to ${count(latest.lastStep)}` : '–');
    measured.set(percent(latest.bubble));
    formula.set(percent(latest.bubbleFormula));
    sizes.set(`${latest.stages}, ${latest.microBatches}`);
    setText(note, latest.waits.length > 0
      ? 'Thick bars are jobs, thin ones waits by lock.'
      : 'Bars are jobs. This engine does not tell what an idle actor waits for; the simulated one does.');
    view.set(latest);
    staleness.replaceChildren(latest.staleness.length === 0 ? '' : table(
      ['actor', 'mean staleness', 'most'], latest.staleness.map(row => [row.actor, figure(row.mean), String(row.max)]), 'Versions that gradients\u2019 weights were old'));
  }

  const leave = source.watch(id, {
    pipeline: next => {
      latest = next;
      if (!isHeld && !view.isInUse) {
        show();
      }
    },
  }, onState);
  return { title: `${id}: pipeline`, element, dispose: () => { leave(); view.dispose(); } };
}
