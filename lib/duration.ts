import { ConfigError } from './errors.js';

/** A length of time: milliseconds, or text such as `'250ms'`, `'10s'`, `'5m'`, `'2h'`, `'1d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The longest time a timer of Node takes: 24.8 days. */
const MAX_TIMER = 2 ** 31 - 1;

/** A hundred years, in ms: for what no timer is set to, and is not to lead out of the calendar. */
export const LONGEST_SPAN: number = 36_500 * UNITS.d;

/**
 * @param name what the duration is for, for the error
 * @param most in ms; more than the longest timer for what no timer is set to
 * @returns milliseconds, more than 0; `Infinity` for never
 * @throws {ConfigError}
 */
export function toMilliseconds(duration: Duration, name: string, most: number = MAX_TIMER): number {
  const ms = parse(duration);
  if (ms === Infinity || (ms > 0 && ms <= most)) return ms;
  throw new ConfigError(
    `expected \`${name}\` to be a time of more than 0 and at most ${String(Math.floor(most / UNITS.d))} days, in ms or like '10s', ` +
      `or Infinity, got \`${String(duration)}\``,
  );
}

function parse(duration: unknown): number {
  if (typeof duration === 'number') return duration;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration));
  const unit = Object.entries(UNITS).find(([name]) => name === match?.[2])?.[1];
  return unit === undefined ? Number.NaN : Number(match?.[1]) * unit;
}
