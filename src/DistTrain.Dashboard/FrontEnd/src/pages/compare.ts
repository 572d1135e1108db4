import { Chart } from '../chart';
import { h, setText, table } from '../dom';
import { count, duration, figure, percent } from '../format';
import type { Source } from '../source';
import type { CurveColumns, EpochRow, Metrics, Num, RunEntry } from '../types';
import type { Page } from './page';

const refreshEvery = 3000;

interface Side { entry: RunEntry; steps: CurveColumns; epochs: EpochRow[] }

/** Runs side by side, at equal steps and at equal time. */
export async function compare(source: Source, ids: string[]): Promise<Page> {
  const charts = {
    lossStep: new Chart({ title: 'Training loss by step', x: 'step', xValue: count, logarithmic: true }),
    lossTime: new Chart({ title: 'Training loss by time', x: 's', logarithmic: true }),
    accuracyStep: new Chart({ title: 'Accuracy by step', x: 'step', xValue: count, y: percent }),
    accuracyTime: new Chart({ title: 'Accuracy by time', x: 's', y: percent }),
  };
  const figures = h('div');
  const missing = h('p', { class: 'warning', hidden: true });
  const element = h('main', { id: 'main' }, h('h1', {}, 'Compare'), figures, missing, h('div', { class: 'grid' }, ...Object.values(charts).map(chart => chart.element)));
  let shown = '';

  async function refresh(): Promise<void> {
    const found = (await Promise.all(ids.map(id => source.find(id)))).filter(entry => entry?.kind === 'run') as RunEntry[];
    const all: Metrics[] = await Promise.all(found.map(run => source.metrics(run.id)));
    const version = JSON.stringify([found, all.map(one => one.version)]);
    if (version === shown) {
      return;
    }
    shown = version;
    const sides = found.flatMap((entry, index): Side[] => {
      const start = all[index]!.starts[0];
      return start ? [{ entry, steps: start.steps, epochs: start.epochs }] : [];
    });
    const without = ids.filter(id => !found.some(entry => entry.id === id)).map(id => `${id} (no such run)`)
      .concat(found.filter(entry => !sides.some(side => side.entry === entry)).map(entry => `${entry.id} (no step recorded)`));
    missing.hidden = without.length === 0;
    setText(missing, `Left out: ${without.join(', ')}.`);
    show(sides);
  }

  function show(sides: Side[]): void {
    if (sides.length === 0) {
      figures.replaceChildren(h('p', {}, 'There is nothing to compare. Tick two or more in the ', h('a', { href: '#/' }, 'list of runs'), '.'));
      return;
    }
    const step = Math.min(...sides.map(side => side.steps.step.at(-1) ?? 0));
    const seconds = Math.min(...sides.map(side => side.steps.elapsed.at(-1) ?? 0));
    figures.replaceChildren(table(
      ['run', 'method', 'engine', `loss at step ${count(step)}`, `loss after ${duration(seconds)}`, 'final loss', 'test accuracy', 'steps', 'time'],
      sides.map(side => [
        h('a', { href: `#/run/${encodeURIComponent(side.entry.id)}` }, side.entry.id), side.entry.method, side.entry.engine,
        figure(lastUpTo(side.steps.step, side.steps.loss, step)), figure(lastUpTo(side.steps.elapsed, side.steps.loss, seconds)),
        figure(side.entry.finalLoss), percent(side.entry.testAccuracy), count(side.steps.step.at(-1)), duration(side.steps.elapsed.at(-1)),
      ]), 'Runs side by side'), sides.some(side => side.entry.engine === 'simulated') ? h('p', { class: 'muted' }, 'Times of simulated runs are virtual.') : '');
    const tested = (side: Side): EpochRow[] => side.epochs.filter(epoch => epoch.testAccuracy !== null);
    const measured = (side: Side, x: 'step' | 'elapsed'): { x: number[]; y: Num[]; points: boolean } => tested(side).length > 0
      ? { x: tested(side).map(epoch => epoch[x]), y: tested(side).map(epoch => epoch.testAccuracy), points: true }
      : { x: side.steps[x], y: side.steps.accuracy, points: false };
    const named = (side: Side, index: number): { label: string; colour: number } => ({
      label: measured(side, 'step').points ? `${side.entry.id} (test)` : side.entry.id, colour: index,
    });
    charts.lossStep.set(sides.map((side, index) => ({ label: side.entry.id, colour: index, x: side.steps.step, y: side.steps.loss })));
    charts.lossTime.set(sides.map((side, index) => ({ label: side.entry.id, colour: index, x: side.steps.elapsed, y: side.steps.loss })));
    charts.accuracyStep.set(sides.map((side, index) => ({ ...named(side, index), ...measured(side, 'step') })));
    charts.accuracyTime.set(sides.map((side, index) => ({ ...named(side, index), ...measured(side, 'elapsed') })));
  }

  await refresh();
  const timer = setInterval(() => void refresh().catch(() => undefined), refreshEvery);
  return { title: 'Compare', element, dispose: () => { clearInterval(timer); Object.values(charts).forEach(chart => chart.dispose()); } };
}

/** The last value at or before a place. */
function lastUpTo(x: number[], y: Num[], place: number): Num {
  let found: Num = null;
  for (let index = 0; index < x.length && x[index]! <= place; index++) {
    found = y[index] ?? found;
  }
  return found;
}
