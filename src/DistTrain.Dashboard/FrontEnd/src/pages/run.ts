import { Chart, type Line } from '../chart';
import { h, setText, table, tile } from '../dom';
import { count, duration, figure, percent } from '../format';
import type { Source } from '../source';
import type { Metrics, Num, RunDetails } from '../types';
import type { Page } from './page';

const startsDrawn = 8;
const layersDrawn = 24;
const recentBuckets = 20;

/** Loss, accuracy, pace and health of a run, as they come. */
export function run(source: Source, id: string, onState: (connected: boolean) => void): Page {
  const tiles = {
    status: tile('status'), step: tile('step'), loss: tile('training loss'), accuracy: tile('training accuracy'), test: tile('test accuracy'), pace: tile('pace'),
    elapsed: tile('time'), left: tile('time left'),
  };
  const loss = new Chart({ title: 'Loss', x: 'step', xValue: count, logarithmic: true });
  const accuracy = new Chart({ title: 'Accuracy', x: 'step', xValue: count, y: percent });
  const pace = new Chart({ title: 'Steps a second', x: 'step', xValue: count });
  const rate = new Chart({ title: 'Learning rate', x: 'step', xValue: count });
  const health = {
    zero: new Chart({ title: 'Zero activations', x: 'step', xValue: count, y: percent }),
    dead: new Chart({ title: 'Dead units', x: 'step', xValue: count, y: percent }),
    saturated: new Chart({ title: 'Saturated units', x: 'step', xValue: count, y: percent }),
    gradientNorm: new Chart({ title: 'Gradient norm', x: 'step', xValue: count, logarithmic: true }),
    updateRatio: new Chart({ title: 'Update to weight ratio', x: 'step', xValue: count, logarithmic: true }),
  };
  const charts = [loss, accuracy, pace, rate, ...Object.values(health)];
  const notices = h('ol', { class: 'notices' });
  const noticesPart = h('section', { hidden: true }, h('h2', {}, 'Events'), notices);
  const healthPart = h('section', { hidden: true }, h('h2', {}, 'Health by layer'), h('div', { class: 'grid' }, ...Object.values(health).map(chart => chart.element)));
  const noHealth = h('p', { class: 'muted', hidden: true }, h('code', {}, 'disttrain train --health'), ' adds each layer\u2019s zero, dead and saturated units and its gradients, at every epoch and snapshot.');
  const experiment = h('pre', { tabindex: 0 });
  const summary = h('div');
  const warning = h('p', { class: 'warning', hidden: true });
  const reason = h('p', { class: 'warning', hidden: true });
  const nothing = h('p', { class: 'muted', hidden: true }, 'No step of this run has been recorded.');
  const element = h('main', { id: 'main' },
    h('h1', {}, id), h('dl', { class: 'tiles', 'aria-live': 'off' }, ...Object.values(tiles).map(one => one.element)), reason, warning, nothing,
    h('div', { class: 'grid' }, loss.element, accuracy.element, pace.element, rate.element), healthPart, noHealth, noticesPart,
    h('details', {}, h('summary', {}, 'Experiment'), experiment), h('details', {}, h('summary', {}, 'Summary'), summary));

  let details: RunDetails | undefined;
  let metrics: Metrics | undefined;

  function onRun(next: RunDetails): void {
    details = next;
    setText(experiment, next.experiment);
    if (next.summary) {
      summary.replaceChildren(table(['figure', 'value'], Object.entries(next.summary).map(([key, value]) =>
        [key, typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value ?? '–')])));
    }
    const why = next.summary?.['reason'];
    reason.hidden = typeof why !== 'string' || why === '';
    setText(reason, typeof why === 'string' ? why : '');
    noticesPart.hidden = !next.live?.notices.length;
    notices.replaceChildren(...(next.live?.notices ?? []).slice().reverse().map(text => h('li', {}, text)));
    tell();
  }

  function onMetrics(next: Metrics): void {
    metrics = next;
    const starts = next.starts.slice(-startsDrawn);
    const several = next.starts.length > 1;
    const name = (text: string, restart: number): string => (several ? `${text}, seed ${restart + 1}` : text);
    loss.set(starts.flatMap((start, index): Line[] => {
      const tested = start.epochs.filter(epoch => epoch.testLoss !== null);
      const lines: Line[] = [{
        label: name('training', start.restart), colour: several ? index : 0, x: start.steps.step, y: start.steps.loss,
        ...(several ? {} : { band: [start.steps.lossMin, start.steps.lossMax] as [Num[], Num[]] }),
      }];
      if (tested.length > 0 && !several) {
        lines.push({ label: 'test', colour: 1, x: tested.map(epoch => epoch.step), y: tested.map(epoch => epoch.testLoss), points: true });
      }
      return lines;
    }));
    accuracy.set(starts.flatMap((start, index): Line[] => {
      const tested = start.epochs.filter(epoch => epoch.testAccuracy !== null);
      const lines: Line[] = [{ label: name('training', start.restart), colour: several ? index : 0, x: start.steps.step, y: start.steps.accuracy }];
      if (tested.length > 0 && !several) {
        lines.push({ label: 'test', colour: 1, x: tested.map(epoch => epoch.step), y: tested.map(epoch => epoch.testAccuracy), points: true });
      }
      return lines;
    }));
    const last = next.starts[next.starts.length - 1]?.steps;
    pace.set(last ? [{ label: 'steps/s', colour: 2, ...speeds(last.step, last.elapsed) }] : []);
    const rates = last?.learningRate ?? [];
    rate.set(last && rates.some(value => value !== rates[0]) ? [{ label: 'η', colour: 3, x: last.step, y: rates }] : []);
    const layers = next.health.slice(0, layersDrawn);
    healthPart.hidden = layers.length === 0;
    noHealth.hidden = layers.length > 0;
    for (const [key, chart] of Object.entries(health) as [keyof typeof health, Chart][]) {
      chart.set(layers.map((layer, index) => ({ label: layer.layer, colour: index, x: layer.rows.map(row => row.step), y: layer.rows.map(row => row[key]) })));
    }
    nothing.hidden = next.starts.length > 0;
    warning.hidden = next.unreadable === 0;
    setText(warning, `${next.unreadable} of ${next.rows} lines of metrics.jsonl cannot be read and are left out.`);
    tell();
  }

  function tell(): void {
    const start = metrics?.starts[metrics.starts.length - 1];
    const steps = start?.steps;
    const end = (steps?.step.length ?? 0) - 1;
    const step = Math.max(details?.live?.step ?? 0, steps?.step[end] ?? 0, details?.entry.steps ?? 0);
    const total = metrics?.totalSteps || details?.live?.totalSteps || 0;
    const elapsed = details?.live?.elapsed || steps?.elapsed[end] || details?.entry.seconds || null;
    const speed = steps ? recent(steps.step, steps.elapsed) : null;
    const state = details?.entry.status ?? '';
    tiles.status.set(state || '–');
    tiles.step.set(total > 0 ? `${count(step)} of ${count(total)}` : count(step));
    tiles.loss.set(figure(details?.summary ? details.entry.finalLoss : steps?.loss[end]));
    tiles.accuracy.set(percent(details?.summary ? details.entry.trainAccuracy : steps?.accuracy[end]));
    tiles.test.set(percent(details?.entry.testAccuracy ?? start?.epochs.findLast(epoch => epoch.testAccuracy !== null)?.testAccuracy));
    const rows = details?.summary?.['samples_per_second'];
    tiles.pace.set(typeof rows === 'number' ? `${count(rows)} rows/s` : speed ? `${figure(speed)} steps/s` : '–');
    tiles.elapsed.set(duration(elapsed));
    tiles.left.set(state === 'running' && speed && total > step ? duration((total - step) / speed) : '–');
  }

  const leave = source.watch(id, { run: onRun, metrics: onMetrics }, onState);
  return { title: id, element, dispose: () => { leave(); charts.forEach(chart => chart.dispose()); } };
}

/** Steps a second between neighbouring points, at the later one. */
function speeds(step: number[], elapsed: number[]): { x: number[]; y: Num[] } {
  const stride = Math.max(1, Math.floor(step.length / 100));
  const x: number[] = [];
  const y: Num[] = [];
  for (let index = stride; index < step.length; index += stride) {
    const seconds = elapsed[index]! - elapsed[index - stride]!;
    x.push(step[index]!);
    y.push(seconds > 0 ? (step[index]! - step[index - stride]!) / seconds : null);
  }
  return { x, y };
}

function recent(step: number[], elapsed: number[]): number | null {
  const end = step.length - 1;
  const start = Math.max(0, end - recentBuckets);
  const seconds = end > start ? elapsed[end]! - elapsed[start]! : 0;
  return seconds > 0 ? (step[end]! - step[start]!) / seconds : null;
}
