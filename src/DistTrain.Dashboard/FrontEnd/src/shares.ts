import { h } from './dom';
import { percent } from './format';

/** Where a layer actor's time goes, in the order of its bars. */
export const shares = ['busy', 'forward lock', 'update lock', 'backward lock', 'parameters', 'released'];

const classOf = (share: string): string => `share-${share.replace(' ', '-')}`;

/** A bar of an actor's shares, which add up to the whole bar. */
export function shareBar(name: string, times: number[], words: string[] = shares): HTMLElement {
  const whole = times.reduce((sum, value) => sum + value, 0) || 1;
  const told = words.map((word, index) => `${word} ${percent(times[index]! / whole)}`).join(', ');
  const bar = h('span', { class: 'bar', role: 'img', 'aria-label': `${name}: ${told}`, title: told });
  shares.forEach((share, index) => {
    const part = h('span', { class: classOf(share) });
    part.style.width = `${(100 * times[index]!) / whole}%`;
    bar.append(part);
  });
  return h('div', { class: 'bar-row' }, h('span', { class: 'bar-name' }, name), bar);
}

export function shareLegend(words: string[] = shares): HTMLElement {
  return h('ul', { class: 'legend' }, ...shares.map((share, index) => h('li', {}, h('span', { class: `key ${classOf(share)}` }), words[index]!)));
}
