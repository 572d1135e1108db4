import './style.css';
import { h, setText } from './dom';
import { actors } from './pages/actors';
import { compare } from './pages/compare';
import { home } from './pages/home';
import type { Page } from './pages/page';
import { pipeline } from './pages/pipeline';
import { run } from './pages/run';
import { study } from './pages/study';
import { open } from './source';
import type { RunEntry } from './types';

const runRoutes = ['run', 'pipeline', 'actors'];
const named = [...runRoutes, 'study'];
const source = open();
const app = document.getElementById('app')!;
const views = h('ul');
const state = h('p', { class: 'state', role: 'status' });
const nav = h('nav', { 'aria-label': 'Pages' }, views);
const skip = h('a', { class: 'skip', href: '#main' }, 'Skip to the page');
skip.addEventListener('click', event => {
  event.preventDefault();
  (document.getElementById('main') as HTMLElement | null)?.focus();
});
app.append(skip, h('header', {}, h('span', { class: 'name' }, 'DistTrain'), nav, state));
let page: Page | undefined;
let turn = 0;

function onState(connected: boolean): void {
  setText(state, connected ? '' : 'The connection is lost: the program has ended, or is busy. Trying again …');
}

function link(text: string, address: string): HTMLElement {
  return h('li', {}, h('a', { href: address, ...(location.hash === address ? { 'aria-current': 'page' } : {}) }, text));
}

/** A study has pages of its own, and a run has none of those. */
const isElsewhere = (route: string, entry: RunEntry): boolean => (route === 'study') !== (entry.kind === 'study');

async function make(route: string, id: string, rest: string[]): Promise<Page> {
  switch (route) {
    case 'run':
      return run(source, id, onState);
    case 'pipeline':
      return pipeline(source, id, onState);
    case 'actors':
      return actors(source, id, (await source.list()).controls, onState);
    case 'compare':
      return compare(source, [id, ...rest]);
    case 'study':
      return study(source, id);
    default:
      return home(source);
  }
}

async function show(): Promise<void> {
  const mine = ++turn;
  let route = '', id = '', next: Page;
  try {
    let rest: string[];
    [route = '', id = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(part => decodeURIComponent(part));
    const entry = named.includes(route) ? await source.find(id) : undefined;
    if (entry === null) {
      throw new Error(`There is no run or study of the name ${id || '(none)'} here.`);
    }
    if (entry && isElsewhere(route, entry)) {
      location.replace(`#/${entry.kind}/${encodeURIComponent(id)}`);
      return;
    }
    next = await make(route, id, rest);
  } catch (problem) {
    const text = problem instanceof Error ? problem.message : String(problem);
    next = { title: 'Problem', element: h('main', { id: 'main' }, h('h1', {}, 'That did not work'), h('p', {}, text)), dispose: () => undefined };
  }
  if (mine !== turn) {
    next.dispose();
    return;
  }
  page?.dispose();
  page?.element.remove();
  page = next;
  setText(state, '');
  document.title = `${next.title} · DistTrain`;
  next.element.tabIndex = -1;
  const isRun = runRoutes.includes(route);
  views.replaceChildren(
    ...(source.isLive ? [link('Runs', '#/')] : []),
    ...(isRun ? [link('Run', `#/run/${encodeURIComponent(id)}`), link('Pipeline', `#/pipeline/${encodeURIComponent(id)}`)] : []),
    ...(isRun && source.isLive ? [link('Actors', `#/actors/${encodeURIComponent(id)}`)] : []));
  app.append(next.element);
}

/** Whoever opens the bare address is led to what is there to see: the report's run, or the one under way. */
async function start(): Promise<void> {
  if (location.hash.length <= 2) {
    const runs = (await source.list().catch(() => ({ runs: [] }))).runs;
    const first = source.isLive ? runs.find(entry => entry.status === 'running') : runs[0];
    if (first) {
      history.replaceState(null, '', `#/${first.kind}/${encodeURIComponent(first.id)}`);
    }
  }
  addEventListener('hashchange', () => void show());
  await show();
}

void start();
