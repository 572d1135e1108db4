import type { Num } from './types';

const none = '–';

export const count = (value: Num | undefined): string => (value == null ? none : value.toLocaleString('en-US', { maximumFractionDigits: 0 }));

export function figure(value: Num | undefined): string {
  if (value == null) {
    return none;
  }
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : value.toLocaleString('en-US', { maximumSignificantDigits: 4 });
}

export const percent = (share: Num | undefined): string => (share == null ? none : `${(100 * share).toFixed(1)} %`);

/** A share on an axis, where space is short. */
export const percentTick = (share: number): string => `${Number((100 * share).toFixed(2))} %`;

export function duration(seconds: Num | undefined): string {
  if (seconds == null) {
    return none;
  }
  if (seconds < 1e-3) {
    return `${(seconds * 1e6).toFixed(0)} µs`;
  }
  if (seconds < 1) {
    return `${(seconds * 1e3).toFixed(seconds < 0.01 ? 2 : 0)} ms`;
  }
  if (seconds < 60) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function bytes(value: Num | undefined): string {
  if (value == null) {
    return none;
  }
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let left = value;
  for (; left >= 1000 && unit < units.length - 1; unit++) {
    left /= 1000;
  }
  return `${unit === 0 ? left : left.toFixed(1)} ${units[unit]}`;
}

export const when = (seconds: number): string => new Date(seconds * 1000).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
