import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { h, setText } from './dom';
import { figure, percent, percentTick } from './format';
import { colour, graded, onTheme, series, seriesColours } from './theme';
import type { Num } from './types';

export interface Line {
  label: string; colour: number; x: number[]; y: Num[];
  /** Drawn as points with thin lines, as evaluations are. */
  points?: boolean;
  /** Least and greatest values around the line. */
  band?: [Num[], Num[]];
}

export interface ChartOptions { title: string; x: string; y?: (value: Num) => string; xValue?: (value: Num) => string; logarithmic?: boolean }

/** Whether a tick is shorter as a power. */
const isSmall = (tick: number): boolean => tick !== 0 && Math.abs(tick) < 1e-3;

/** Distances of ticks between which there are whole steps. */
const wholeSteps = [...Array(12).keys()].flatMap(power => [1, 2, 5].map(factor => factor * 10 ** power));

/** Whether a line is so short that nothing but points shows it. */
const isPoint = (line: Line): boolean => line.y.reduce<number>((known, value) => known + (value === null ? 0 : 1), 0) === 1;

/** Of the lines of a logarithmic axis those at powers of ten, where there are so many that all of them would be a grey field. */
function decades(splits: number[]): (number | null)[] {
  const powers = splits.map(value => (Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6) ? value : null));
  return powers.filter(value => value !== null).length > 2 ? powers : splits;
}

/** Around shares, and never below nothing or above everything. */
function shareRange(least: number | null, most: number | null): [number, number] {
  if (least === null || most === null) {
    return [0, 1];
  }
  const [from, to] = uPlot.rangeNum(least, most === least ? least + 0.01 : most, 0.1, true);
  return [Math.max(0, from ?? 0), Math.min(Math.max(1, most), to ?? 1)];
}

/** A line chart that follows its width, the theme and new data. */
export class Chart {
  readonly element: HTMLElement;
  private readonly place = h('div', { class: 'plot' });
  private readonly legend = h('ul', { class: 'legend' });
  private readonly observer: ResizeObserver;
  private readonly leaveTheme: () => void;
  private plot: uPlot | undefined;
  private values: HTMLElement[] = [];
  private lines: Line[] = [];
  private shape = '';

  constructor(private readonly options: ChartOptions) {
    this.element = h('figure', { class: 'chart' }, h('figcaption', {}, options.title), this.place, this.legend);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.place);
    this.leaveTheme = onTheme(() => this.rebuild());
  }

  set(lines: Line[]): void {
    this.lines = lines.filter(line => line.y.some(value => value !== null));
    this.element.hidden = this.lines.length === 0;
    const shape = JSON.stringify(this.lines.map(line => [line.label, line.colour, !!line.band, !!line.points || isPoint(line)]));
    if (shape !== this.shape || !this.plot) {
      this.shape = shape;
      this.rebuild();
    } else {
      this.plot.setData(this.data());
    }
    this.describe();
  }

  dispose(): void {
    this.observer.disconnect();
    this.leaveTheme();
    this.plot?.destroy();
  }

  private paint(line: Line): string {
    return this.lines.length > seriesColours ? graded(line.colour, this.lines.length) : series(line.colour);
  }

  private get height(): number {
    return Math.max(180, Math.min(260, Math.round(this.place.clientWidth * 0.5)));
  }

  private data(): uPlot.AlignedData {
    const tables = this.lines.map(line => [line.x, line.y.map(value => this.drawn(value)), ...(line.band ?? []).map(edge => edge.map(value => this.drawn(value)))] as uPlot.AlignedData);
    return tables.length === 1 ? tables[0]! : uPlot.join(tables);
  }

  /** A logarithmic axis has no place for zero. */
  private drawn(value: Num): Num {
    return this.options.logarithmic && value !== null && value <= 0 ? null : value;
  }

  private rebuild(): void {
    this.plot?.destroy();
    this.plot = undefined;
    if (this.lines.length === 0 || this.place.clientWidth === 0) {
      return;
    }
    const { x, y = figure, xValue = figure, logarithmic } = this.options;
    const all: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    for (const line of this.lines) {
      const stroke = this.paint(line);
      all.push({ label: line.label, stroke, width: 2, spanGaps: true, points: { show: line.points || isPoint(line), size: 6, fill: stroke } });
      if (line.band) {
        bands.push({ series: [all.length + 1, all.length], fill: `${stroke}2b` });
        all.push({ stroke: 'transparent', points: { show: false } }, { stroke: 'transparent', points: { show: false } });
      }
    }
    const axis = { stroke: colour('muted'), grid: { stroke: colour('grid'), width: 1 }, ticks: { stroke: colour('grid'), width: 1 }, font: '12px system-ui' };
    const filter = (_: uPlot, splits: number[]): (number | null)[] => decades(splits);
    this.plot = new uPlot({
      width: this.place.clientWidth,
      height: this.height,
      legend: { show: false },
      scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : y === percent ? { range: (_, least, most) => shareRange(least, most) } : {} },
      axes: [
        { ...axis, label: x, ...(x === 'step' ? { incrs: wholeSteps } : {}), labelSize: 18, labelFont: '12px system-ui', size: 34, values: (_, ticks) => ticks.map(tick => xValue(tick)), space: 70 },
        { ...axis, ...(logarithmic ? { grid: { ...axis.grid, filter }, ticks: { ...axis.ticks, filter } } : {}), size: 66, values: (_, ticks) => ticks.map(tick => (tick == null ? '' : y === percent ? percentTick(tick) : isSmall(tick) ? tick.toExponential(0) : y(tick))) },
      ],
      series: all,
      bands,
      cursor: { y: false, drag: { x: true, y: false } },
      hooks: { setCursor: [plot => this.show(plot.cursor.idx ?? null)] },
    }, this.data(), this.place);
    this.values = this.lines.map(() => h('output'));
    this.legend.replaceChildren(...this.lines.map((line, index) => {
      const key = h('span', { class: 'key' });
      key.style.background = this.paint(line);
      return h('li', {}, key, line.label, this.values[index]);
    }));
    this.show(null);
  }

  /** Puts the values under the cursor, or the last ones, beside the names. */
  private show(index: number | null): void {
    const plot = this.plot;
    if (!plot) {
      return;
    }
    const { y = figure, xValue = figure, x } = this.options;
    let column = 1;
    this.lines.forEach((line, number) => {
      const values = plot.data[column] as Num[];
      let at = index ?? values.length - 1;
      while (at > 0 && values[at] == null) {
        at--;
      }
      const value = values[at];
      const place = index === null || number > 0 ? '' : ` at ${xValue(plot.data[0]![at]!)} ${x}`;
      setText(this.values[number]!, value == null ? '' : y(value) + place);
      column += line.band ? 3 : 1;
    });
  }

  private describe(): void {
    const { title, y = figure } = this.options;
    const text = this.lines.map(line => {
      const known = line.y.filter((value): value is number => value !== null);
      return `${line.label} from ${y(known[0]!)} to ${y(known[known.length - 1]!)}`;
    });
    this.place.setAttribute('role', 'img');
    this.place.setAttribute('aria-label', `${title}: ${text.join('; ')}`);
    this.show(null);
  }

  private resize(): void {
    if (!this.plot) {
      this.rebuild();
    } else if (this.plot.width !== this.place.clientWidth && this.place.clientWidth > 0) {
      this.plot.setSize({ width: this.place.clientWidth, height: this.height });
    }
  }
}
