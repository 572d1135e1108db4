import { h, setText } from './dom';
import { duration } from './format';
import { colour, ofKind, ofShare, onTheme } from './theme';
import type { Span, Timeline } from './types';

const laneHeight = 24;
const axisHeight = 22;
const minimalLane = 8;

/** Jobs and waits over time, an actor a row. Arrow keys go from job to job; what is chosen is told below. */
export class TimelineView {
  readonly element: HTMLElement;
  private readonly canvas = h('canvas', { tabindex: 0, role: 'img', class: 'timeline' });
  private readonly told = h('p', { class: 'told', 'aria-live': 'polite' });
  private readonly legend = h('ul', { class: 'legend' });
  private readonly observer: ResizeObserver;
  private readonly leaveTheme: () => void;
  private data: Timeline = { actors: [], spans: [], waits: [] };
  private lanes: number[] = [];
  private from = 0;
  private to = 1;
  private chosen = -1;

  constructor(title: string, private readonly compact = false) {
    this.canvas.setAttribute('aria-label', `${title}; arrow keys go from job to job`);
    this.element = h('figure', { class: 'chart wide' }, h('figcaption', {}, title), this.canvas, this.told, this.legend);
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.canvas);
    this.leaveTheme = onTheme(() => this.draw());
    this.canvas.addEventListener('pointermove', event => this.choose(this.at(event)));
    this.canvas.addEventListener('pointerleave', () => this.choose(-1));
    this.canvas.addEventListener('keydown', event => this.onKey(event));
  }

  set(data: Timeline): void {
    this.data = data;
    this.chosen = -1;
    const used = new Set([...data.spans.map(span => span.actor), ...data.waits.map(wait => wait.actor)]);
    this.lanes = data.actors.map((_, index) => index).filter(index => used.has(index));
    this.from = data.spans.reduce((least, span) => Math.min(least, span.start), Infinity);
    this.to = data.spans.reduce((most, span) => Math.max(most, span.end), -Infinity);
    const kinds = [...new Set(data.spans.map(span => span.kind))];
    const shares = [...new Set(data.waits.map(wait => wait.share))].filter(share => share !== 'released');
    this.legend.replaceChildren(...kinds.map(kind => this.key(kind, () => ofKind(kind))), ...shares.map(share => this.key(share, () => ofShare(share))));
    this.draw();
  }

  /** Whether somebody looks at a job, which new data would take away. */
  get isInUse(): boolean {
    return this.chosen >= 0;
  }

  dispose(): void {
    this.observer.disconnect();
    this.leaveTheme();
  }

  private key(text: string, paint: () => string): HTMLElement {
    const box = h('span', { class: 'key' });
    box.style.background = paint();
    return h('li', {}, box, text);
  }

  private get labelWidth(): number {
    return this.canvas.clientWidth < 500 ? 74 : 130;
  }

  private get lane(): number {
    return this.compact ? Math.max(minimalLane, Math.min(16, 200 / Math.max(1, this.lanes.length))) : laneHeight;
  }

  private x(time: number): number {
    return this.labelWidth + ((time - this.from) / Math.max(1e-9, this.to - this.from)) * (this.canvas.clientWidth - this.labelWidth - 4);
  }

  private draw(): void {
    const width = this.canvas.clientWidth;
    if (width === 0 || this.lanes.length === 0) {
      return;
    }
    const height = this.lanes.length * this.lane + axisHeight;
    const ratio = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.height = `${height}px`;
    }
    const context = this.canvas.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const row = new Map(this.lanes.map((actor, index) => [actor, index * this.lane]));
    context.font = '12px system-ui';
    context.textBaseline = 'middle';
    this.lanes.forEach((actor, index) => {
      if (index % 2 === 1) {
        context.fillStyle = colour('stripe');
        context.fillRect(0, index * this.lane, width, this.lane);
      }
      if (this.lane >= 11) {
        context.fillStyle = colour('text');
        context.fillText(shorten(context, this.data.actors[actor]!, this.labelWidth - 8), 2, index * this.lane + this.lane / 2);
      }
    });
    for (const wait of this.data.waits) {
      if (wait.share !== 'released' && wait.end > this.from && wait.start < this.to) {
        const left = this.x(Math.max(wait.start, this.from));
        context.fillStyle = ofShare(wait.share);
        context.fillRect(left, row.get(wait.actor)! + this.lane * 0.4, Math.max(0.5, this.x(Math.min(wait.end, this.to)) - left), this.lane * 0.2);
      }
    }
    this.data.spans.forEach((span, index) => this.drawSpan(context, span, row.get(span.actor)!, index === this.chosen));
    this.drawAxis(context, width, this.lanes.length * this.lane);
  }

  private drawSpan(context: CanvasRenderingContext2D, span: Span, top: number, isChosen: boolean): void {
    const left = this.x(span.start);
    const width = Math.max(1, this.x(span.end) - left - 0.5);
    context.fillStyle = ofKind(span.kind);
    context.fillRect(left, top + this.lane * 0.12, width, this.lane * 0.76);
    if (isChosen) {
      context.strokeStyle = colour('text');
      context.lineWidth = 2;
      context.strokeRect(left - 1, top + this.lane * 0.12 - 1, width + 2, this.lane * 0.76 + 2);
    }
  }

  private drawAxis(context: CanvasRenderingContext2D, width: number, top: number): void {
    context.fillStyle = colour('muted');
    context.strokeStyle = colour('grid');
    const length = this.to - this.from;
    const step = round(length / Math.max(2, Math.floor((width - this.labelWidth) / 100)));
    for (let time = 0; time === 0 || this.x(this.from + time) <= width - 24; time += step) {
      context.textAlign = time === 0 ? 'left' : 'center';
      context.fillText(time === 0 ? '0' : duration(time / 1e6), this.x(this.from + time), top + axisHeight / 2 + 2);
    }
    context.textAlign = 'left';
  }

  private at(event: PointerEvent): number {
    const box = this.canvas.getBoundingClientRect();
    const lane = this.lanes[Math.floor((event.clientY - box.top) / this.lane)];
    const x = event.clientX - box.left;
    return this.data.spans.findIndex(span => span.actor === lane && this.x(span.start) - 1 <= x && x <= this.x(span.end) + 1);
  }

  private choose(index: number): void {
    if (index === this.chosen) {
      return;
    }
    this.chosen = index;
    const span = this.data.spans[index];
    setText(this.told, span ? describe(span, this.data.actors[span.actor] ?? '') : '');
    this.draw();
  }

  private onKey(event: KeyboardEvent): void {
    const { spans } = this.data;
    const now = spans[this.chosen];
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const lane = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0 && lane === 0) {
      return;
    }
    event.preventDefault();
    if (!now) {
      this.choose(0);
    } else if (lane !== 0) {
      const actor = this.lanes[this.lanes.indexOf(now.actor) + lane];
      let best = -1;
      spans.forEach((span, index) => {
        if (span.actor === actor && (best < 0 || Math.abs(span.start - now.start) < Math.abs(spans[best]!.start - now.start))) {
          best = index;
        }
      });
      this.choose(best < 0 ? this.chosen : best);
    } else {
      let next = this.chosen + step;
      while (spans[next] && spans[next]!.actor !== now.actor) {
        next += step;
      }
      this.choose(spans[next] ? next : this.chosen);
    }
  }
}

/** A name without its middle where there is no room for all of it: names differ at their ends. */
function shorten(context: CanvasRenderingContext2D, name: string, width: number): string {
  let shown = name;
  for (let left = name.length - 1; left > 4 && context.measureText(shown).width > width; left--) {
    shown = `${name.slice(0, Math.ceil(left / 2))}…${name.slice(name.length - Math.floor(left / 2))}`;
  }
  return shown;
}

/** The next 1, 2 or 5 times a power of ten. */
function round(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1e-9, value)));
  return power * ([1, 2, 5].find(factor => factor * power >= value) ?? 10);
}

function describe(span: Span, actor: string): string {
  const micro = span.microBatch >= 0 ? `, micro-batch ${span.microBatch}` : '';
  const version = span.version >= 0 ? `, weights of version ${span.version}` : '';
  const stale = span.staleness >= 0 ? `, ${span.staleness} versions old` : '';
  return `${actor}: ${span.kind}, step ${span.step}${micro}, ${duration((span.end - span.start) / 1e6)}${version}${stale}`;
}
