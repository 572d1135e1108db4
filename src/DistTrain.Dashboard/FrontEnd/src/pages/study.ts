import { Chart } from '../chart';
import { h, table } from '../dom';
import { bytes, count, duration, figure, percent } from '../format';
import { shareBar, shareLegend, shares } from '../shares';
import type { Source } from '../source';
import { TimelineView } from '../timeline';
import type { Json, Num, Span, Study, StudySeries, Wait } from '../types';
import type { Page } from './page';

type Fields = { [key: string]: Json };

const layersShown = 12;

/** A study of locks or of faults, with its tables. */
export async function study(source: Source, id: string): Promise<Page> {
  const data = await source.study(id);
  const parts: { dispose(): void }[] = [];
  const name = (data === null ? '' : text(data.study['name'])) || id;
  const element = h('main', { id: 'main' }, h('h1', {}, name), name === id ? null : h('p', { class: 'muted' }, `in ${id}`));
  if (data === null) {
    element.append(h('p', {}, 'This folder holds no study that can be read.'));
  } else if (Array.isArray(data.study['runs'])) {
    locking(data, element, parts);
  } else {
    faults(data.study, element);
  }
  return { title: name, element, dispose: () => parts.forEach(part => part.dispose()) };
}

const text = (value: Json | undefined): string => (value == null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));
const number = (value: Json | undefined): Num => (typeof value === 'number' ? value : null);
const fields = (value: Json | undefined): Fields => (value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {});
const list = (value: Json | undefined): Fields[] => (Array.isArray(value) ? value.map(fields) : []);

function mean(runs: Fields[], key: string): Num {
  const known = runs.flatMap(run => number(run[key]) ?? []);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}

function grouped<T>(items: T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  }
  return groups;
}

function locking(data: Study, element: HTMLElement, parts: { dispose(): void }[]): void {
  element.append(h('p', {}, 'Every method trains the same network from the same seed and in the same data order, on simulated machines and network. '
    + 'Times are virtual and leave evaluation out; figures are means over seeds, curves and timelines of the first seed.'));
  const runs = list(data.study['runs']);
  for (const [name, members] of grouped(runs, run => [run['hidden_layers'] == null ? '' : `${text(run['hidden_layers'])} hidden layers`, text(run['condition'])].filter(part => part).join(', '))) {
    const first = members[0]!;
    const section = h('section', {}, h('h2', {}, name || 'Results'), figuresOf(members));
    element.append(section);
    const methods = [...new Set(members.map(run => text(run['method'])))];
    const isHere = (one: { hiddenLayers: string; condition: string }): boolean => one.hiddenLayers === text(first['hidden_layers']) && one.condition === text(first['condition']);
    section.append(...curves(data.curves.filter(isHere), methods, parts));
    section.append(h('h3', {}, 'Where each layer\u2019s time goes'), shareLegend(), h('div', { class: 'grid' }, ...bars(members)));
    section.append(...timelines(data.timelines, first, methods, parts));
    for (const run of members.filter(member => text(member['reason']))) {
      section.append(h('p', { class: 'muted' }, `${text(run['method'])} ${run['status'] === 'refused' ? 'cannot serve' : text(run['status'])}: ${text(run['reason'])}`));
    }
  }
}

function figuresOf(members: Fields[]): HTMLElement {
  const step = count(number(members.find(run => number(run['common_step']))?.['common_step']));
  const time = duration(number(members.find(run => number(run['common_seconds']))?.['common_seconds']));
  return table(
    ['method', 'virtual time', `loss at step ${step}`, 'accuracy', `loss after ${time}`, 'accuracy', 'busy', 'bubble', 'formula', 'staleness', 'activations', 'sent', 'messages', 'redone'],
    [...grouped(members, run => text(run['method']))].map(([method, runs]) => [
      method, duration(mean(runs, 'virtual_seconds')), figure(mean(runs, 'loss_at_common_step')), percent(mean(runs, 'accuracy_at_common_step')),
      figure(mean(runs, 'loss_at_common_seconds')), percent(mean(runs, 'accuracy_at_common_seconds')), percent(mean(runs, 'utilisation')),
      percent(mean(runs, 'bubble')), percent(mean(runs, 'bubble_formula')), figure(mean(runs, 'staleness_mean')), bytes(mean(runs, 'peak_activation_bytes')),
      bytes(mean(runs, 'bytes_sent')), count(mean(runs, 'messages_sent')), count(mean(runs, 'steps_redone')),
    ]), 'Methods side by side');
}

function curves(all: StudySeries[], methods: string[], parts: { dispose(): void }[]): HTMLElement[] {
  const firstSeed = all.filter(one => one.seed === all.find(other => other.method === one.method)?.seed);
  const training = firstSeed.filter(one => one.rows === 'train');
  const tested = firstSeed.filter(one => one.rows === 'test');
  const accuracy = tested.length > 0 ? tested : training;
  const rows = tested.length > 0 ? 'test' : 'training';
  if (training.every(one => one.loss.every(value => value === null))) {
    return [];
  }
  const draw = (title: string, x: 'step' | 'seconds', y: 'loss' | 'accuracy', series: StudySeries[]): Chart => {
    const chart = new Chart({ title, x: x === 'step' ? 'step' : 'virtual s', ...(x === 'step' ? { xValue: count } : {}), ...(y === 'accuracy' ? { y: percent } : { logarithmic: true }) });
    parts.push(chart);
    chart.set(series.map(one => ({ label: one.method, colour: methods.indexOf(one.method), x: one[x].map(value => value ?? 0), y: one[y] })));
    return chart;
  };
  return [h('h3', {}, 'Learning'), h('div', { class: 'grid' }, ...[
    draw('Training loss by step', 'step', 'loss', training), draw(`Accuracy on ${rows} rows by step`, 'step', 'accuracy', accuracy),
    draw('Training loss by time', 'seconds', 'loss', training), draw(`Accuracy on ${rows} rows by time`, 'seconds', 'accuracy', accuracy),
  ].map(chart => chart.element))];
}

function bars(members: Fields[]): HTMLElement[] {
  return [...grouped(members.filter(run => list(run['layers']).length > 0), run => text(run['method']))].map(([method, runs]) => {
    const layers = list(runs[0]!['layers']);
    return h('figure', { class: 'chart' }, h('figcaption', {}, method), ...layers.slice(0, layersShown).map(layer =>
      shareBar(text(layer['layer']), shares.map(share => number(layer[`${share.replace(' ', '_')}_seconds`]) ?? 0))), layers.length > layersShown ? h('p', { class: 'muted' }, `and ${layers.length - layersShown} more layers`) : null);
  });
}

function timelines(all: Fields | null, first: Fields, methods: string[], parts: { dispose(): void }[]): HTMLElement[] {
  const here = list(all?.['runs']).filter(run => text(run['hidden_layers']) === text(first['hidden_layers']) && text(run['condition']) === text(first['condition']));
  const drawn = methods.flatMap(method => here.filter(run => run['method'] === method).slice(0, 1)).map(run => {
    const view = new TimelineView(text(run['method']), true);
    parts.push(view);
    view.set({ actors: (run['actors'] as string[]) ?? [], spans: spansOf(run, all!), waits: waitsOf(run, all!) });
    return view.element;
  });
  return drawn.length === 0 ? [] : [h('h3', {}, `The first ${text(all!['steps'])} steps`), h('p', { class: 'muted' }, 'A lane for each layer, the first on top; each method on its own scale.'), h('div', { class: 'grid' }, ...drawn)];
}

const rows = (value: Json | undefined): number[][] => (Array.isArray(value) ? (value as number[][]) : []);

function spansOf(run: Fields, all: Fields): Span[] {
  const kinds = (all['kinds'] as string[]) ?? [];
  return rows(run['jobs']).map(([actor, start, end, kind, step, microBatch]) => ({
    actor: actor!, start: start!, end: end!, kind: kinds[kind!] ?? '', step: step!, microBatch: microBatch!, version: -1, staleness: -1,
  }));
}

function waitsOf(run: Fields, all: Fields): Wait[] {
  const names = (all['shares'] as string[]) ?? [];
  return rows(run['waits']).map(([actor, start, end, share, step]) => ({ actor: actor!, start: start!, end: end!, share: names[share!] ?? '', step: step! }));
}

function faults(data: Fields, element: HTMLElement): void {
  const equal = data['weights_equal'] === true;
  const broken = Array.isArray(data['broken']) ? data['broken'].map(text) : [];
  element.append(
    h('p', {}, h('span', { class: `status ${equal ? 'completed' : 'failed'}` }, equal ? 'same weights' : 'other weights'),
      equal ? ' The run among faults ends with the weights of the run without.' : data['weights_must_be_equal'] === true ? ' They ought to be equal.' : ' That is not promised for this experiment.'),
    ...broken.map(line => h('p', { class: 'warning' }, `Does not hold: ${line}`)),
    table(['run', 'status', 'steps', 'lost', 'redone', 'recoveries', 'time', 'rows/s', 'loss', 'test accuracy'],
      ([['without faults', 'without_faults'], ['with faults', 'with_faults']] as const).map(([name, key]) => {
        const run = fields(data[key]);
        const isFaulty = key === 'with_faults';
        return [
          name, text(run['status']), count(number(run['steps'])), isFaulty ? count(number(data['steps_lost'])) : '0', isFaulty ? count(number(data['steps_redone'])) : '0',
          count(number(run['recoveries'])), duration(number(run['training_seconds'])), count(number(run['goodput'])), figure(number(run['final_loss'])), percent(number(run['test_accuracy'])),
        ];
      }), 'The run without faults and with them'),
    h('p', {}, `Slow-down: ${figure(number(data['slow_down']))} times.`),
    table(['fault', 'at', 'next committed step after'], list(data['faults']).map(fault =>
      [text(fault['fault']), duration(number(fault['at_seconds'])), duration(number(fault['recovery_seconds']))]), 'Faults'));
}

