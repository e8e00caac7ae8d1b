import type { Json, JsonObject } from '../json.js';
import { lengthOf, metaOf } from './wording.js';

/** When something is due, for people: `cron 0 7 * * * (Europe/Paris)`, `every 30m`, `at 07:00, 19:00 (UTC)`. */
export function timingText({ cron, every, at, manual, timeZone, phase }: JsonObject): string {
  const zone = typeof timeZone === 'string' ? timeZone : 'UTC';
  if (typeof cron === 'string') return `cron ${cron} (${zone})`;
  if (Array.isArray(at)) return `at ${at.map((time: Json) => metaOf(time)).join(', ')} (${zone})`;
  if (every !== undefined)
    return `every ${textOf(every)}${phase === undefined ? '' : `, moved by ${textOf(phase)}`}`;
  return manual === true ? 'only when asked to' : '';
}

function textOf(length: Json): string {
  return typeof length === 'number' ? lengthOf(length) : metaOf(length);
}
