/** Series colours in the order of their use; the style sheet has them for light and dark. */
export const seriesColours = 8;

const dark = matchMedia('(prefers-color-scheme: dark)');
const known = new Map<string, string>();
dark.addEventListener('change', () => known.clear());

/** A colour of the style sheet in the present theme. */
export function colour(name: string): string {
  let value = known.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    known.set(name, value);
  }
  return value;
}

export const series = (index: number): string => colour(`c${index % seriesColours}`);

/** A colour on a scale from the first of many layers to the last: so many names of colours nobody tells apart. */
export const graded = (index: number, count: number): string =>
  `hsl(${Math.round(215 + (165 * index) / Math.max(1, count - 1))} 60% ${dark.matches ? 66 : 45}%)`;

/** Calls back when light and dark change places; returns how to stop. */
export function onTheme(callback: () => void): () => void {
  dark.addEventListener('change', callback);
  return () => dark.removeEventListener('change', callback);
}

const kinds: Record<string, string> = {
  forward: 'c0', backward: 'c1', gradient: 'c1', update: 'c2', loss: 'c4', localloss: 'c4', load: 'c7', predict: 'c5', fit: 'c5', target: 'c5',
};

/** The colour of a job. */
export const ofKind = (kind: string): string => colour(kinds[kind] ?? 'c6');

const shares: Record<string, string> = {
  busy: 'c0', 'forward lock': 's1', 'update lock': 's2', 'backward lock': 's3', parameters: 's4', released: 's5',
};

/** The colour of a kind of waiting. */
export const ofShare = (share: string): string => colour(shares[share] ?? 's5');
