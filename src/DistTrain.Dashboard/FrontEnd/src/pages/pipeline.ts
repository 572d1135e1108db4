import { h, setText, table, tile } from '../dom';
import { count, figure, percent } from '../format';
import { shareBar, shareLegend, shares } from '../shares';
import type { Source } from '../source';
import { TimelineView } from '../timeline';
import type { Pipeline } from '../types';
import type { Page } from './page';

const sharesShown = 24;

// What is no job and no wait for anybody else is spent in a queue for a compute thread, or there is nothing to do.
const shareWords = [...shares.slice(0, -1), 'queued or released'];

/** The last steps on a timeline, the bubble beside its formula, and how old gradients are. */
export function pipeline(source: Source, id: string, onState: (connected: boolean) => void): Page {
  const steps = tile('steps shown');
  const measured = tile('bubble');
  const formula = tile('(p − 1)/(m + p − 1)');
  const sizes = tile('p stages, m batches');
  const view = new TimelineView('The last steps');
  const locks = h('div');
  const staleness = h('div');
  const nothing = h('p', { hidden: true },
    'Nothing recorded what this run spent its time on. ', h('code', {}, 'disttrain train --dashboard'), ' shows it while it runs, ',
    h('code', {}, 'disttrain train --trace'), ' keeps it in the run folder.');
  const waiting = h('p', { class: 'muted' }, 'Reading what was recorded …');
  const held = h('button', { type: 'button', 'aria-pressed': 'false', click: () => hold() }, 'Hold');
  const note = h('p', { class: 'muted' });
  const shown = h('div', { hidden: true }, h('dl', { class: 'tiles wide' }, ...[steps, measured, formula, sizes].map(one => one.element)), source.isLive ? h('p', {}, held) : null, view.element, note, locks, staleness);
  const element = h('main', { id: 'main' }, h('h1', {}, `${id}: pipeline`), waiting, nothing, shown);
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
    waiting.hidden = true;
    nothing.hidden = latest !== null;
    shown.hidden = latest === null;
    if (latest === null) {
      return;
    }
    steps.set(latest.lastStep > 0 ? `${count(latest.firstStep)} to ${count(latest.lastStep)}` : '–');
    measured.set(percent(latest.bubble));
    formula.set(percent(latest.bubbleFormula));
    sizes.set(`${latest.stages}, ${latest.microBatches}`);
    setText(note, latest.spans.length === 0
      ? 'No job has been seen yet. The engines threads and simulated tell of their jobs, others do not.'
      : latest.waits.length > 0 ? 'Thick bars are jobs, thin ones waits by lock.' : 'Bars are jobs. Nothing tells what an idle actor waits for.');
    view.set(latest);
    locks.replaceChildren(...(latest.shares.length === 0 ? [] : [
      h('h2', {}, 'Where each layer\u2019s time goes in these steps'), shareLegend(shareWords),
      h('figure', { class: 'chart' }, ...latest.shares.slice(0, sharesShown).map(row =>
        shareBar(row.actor, [row.busy, row.forwardLock, row.updateLock, row.backwardLock, row.parameters, row.rest], shareWords))),
      ...(latest.shares.length > sharesShown ? [h('p', { class: 'muted' }, `and ${latest.shares.length - sharesShown} more layer actors`)] : []),
    ]));
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
