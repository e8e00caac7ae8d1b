import { assertNever } from '../errors.js';
import type { JsonObject } from '../json.js';
import { parseTiming } from '../schedule/definition.js';
import type { When } from '../schedule/definition.js';

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;

/** When a schedule is due, for people: `cron 0 7 * * * (Europe/Paris)`, `every 30 minutes`. */
export function timingText(record: JsonObject): string {
  const timing = parseTiming(record);
  return timing === undefined ? 'not understood' : whenText(timing.when);
}

function whenText(when: When): string {
  switch (when.kind) {
    case 'cron':
      return `cron ${when.cron} (${when.timeZone})`;
    case 'at':
      return `at ${when.at.join(', ')} (${when.timeZone})`;
    case 'every':
      return (
        `every ${lengthText(when.every).replace(/^1 /, '')}` +
        (when.phase === 0 ? '' : `, moved by ${lengthText(when.phase)}`)
      );
    case 'manual':
      return 'when asked to';
    default:
      return assertNever(when);
  }
}

function lengthText(milliseconds: number): string {
  for (const [unit, length] of UNITS) {
    const count = milliseconds / length;
    if (!Number.isInteger(count)) continue;
    return `${String(count)} ${unit}${count === 1 ? '' : 's'}`;
  }
  return `${String(milliseconds)} ms`;
}
