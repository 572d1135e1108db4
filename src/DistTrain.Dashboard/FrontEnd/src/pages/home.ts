import { h, table } from '../dom';
import { count, duration, figure, percent, when } from '../format';
import type { Source } from '../source';
import type { RunEntry } from '../types';
import type { Page } from './page';

const comparedMax = 8;
const refreshEvery = 3000;

/** The list of runs; for a first visitor, what to type. */
export async function home(source: Source): Promise<Page> {
  const element = h('main', { id: 'main' });
  const chosen = new Set<string>();
  let shown = '';
  let isPressed = false;

  async function refresh(): Promise<void> {
    const list = await source.list();
    const now = JSON.stringify(list);
    if (now !== shown && !isPressed) {
      shown = now;
      const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['key'] : undefined;
      element.replaceChildren(...(list.runs.length === 0 ? welcome(list.folder) : [h('h1', {}, 'Runs'), h('p', { class: 'muted' }, list.count > list.runs.length ? `${list.folder}: the newest ${count(list.runs.length)} of ${count(list.count)}` : list.folder), compare, rows(list.runs)]));
      if (focused) {
        [...element.querySelectorAll<HTMLElement>('[data-key]')].find(candidate => candidate.dataset['key'] === focused)?.focus();
      }
    }
  }

  const link = h('a', { class: 'button', 'data-key': 'compare' }, 'Compare');
  const compare = h('p', {}, link, h('span', { class: 'muted' }, ` two to ${comparedMax} runs that are ticked`));
  function allow(): void {
    link.href = `#/compare/${[...chosen].map(encodeURIComponent).join('/')}`;
    link.toggleAttribute('aria-disabled', chosen.size < 2);
    link.tabIndex = chosen.size < 2 ? -1 : 0;
  }
  allow();

  function rows(runs: RunEntry[]): HTMLElement {
    return table(['run', 'compare', 'status', 'method', 'engine', 'steps', 'loss', 'train accuracy', 'test accuracy', 'time', 'last change'], runs.map(run => {
      const tick = h('input', { type: 'checkbox', 'aria-label': `compare ${run.id}`, 'data-key': `tick ${run.id}`, disabled: run.kind !== 'run' });
      tick.checked = chosen.has(run.id);
      tick.addEventListener('change', () => {
        if (!tick.checked) {
          chosen.delete(run.id);
        } else if (chosen.size < comparedMax) {
          chosen.add(run.id);
        } else {
          tick.checked = false;
        }
        allow();
      });
      return [
        h('a', { href: `#/${run.kind}/${encodeURIComponent(run.id)}`, 'data-key': run.id }, run.id), tick,
        run.kind === 'study' ? 'study' : status(run.status), run.method, run.engine, run.steps > 0 ? count(run.steps) : '–',
        figure(run.finalLoss), percent(run.trainAccuracy), percent(run.testAccuracy), duration(run.seconds || null), when(run.modified),
      ];
    }), 'Runs', true);
  }

  await refresh();

  // What is replaced between press and release is never clicked, so the list waits for the release.
  const listening = new AbortController();
  for (const [kind, presses] of [['pointerdown', true], ['keydown', true], ['pointerup', false], ['pointercancel', false], ['keyup', false], ['blur', false]] as const) {
    window.addEventListener(kind, () => { isPressed = presses; }, { capture: true, signal: listening.signal });
  }
  const timer = setInterval(() => void refresh().catch(() => undefined), refreshEvery);
  return { title: 'Runs', element, dispose: () => { clearInterval(timer); listening.abort(); } };
}

export function status(text: string): HTMLElement {
  return h('span', { class: `status ${['running', 'completed', 'failed', 'diverged', 'stopped', 'interrupted'].includes(text) ? text : ''}` }, text);
}

function welcome(folder: string): HTMLElement[] {
  const step = (command: string, text: string): HTMLElement => h('li', {}, h('code', {}, command), h('br'), text);
  return [
    h('h1', {}, 'No runs yet'),
    h('p', {}, 'This page shows what is in ', h('code', {}, folder), ', and there is no run in it. Type in a terminal, in the folder above it:'),
    h('ol', { class: 'steps' },
      step('disttrain train', 'trains a small network on drawn digits, in less than a minute; it appears here while it runs'),
      step('disttrain train --dashboard --controls', 'the same with the actors shown from within, and buttons to crash them'),
      step('disttrain study locking examples/locking.yaml', 'compares methods by what their layers wait for'),
      step('disttrain train --help', 'says what else there is')),
    h('p', { class: 'muted' }, 'This page looks again every few seconds.'),
  ];
}
