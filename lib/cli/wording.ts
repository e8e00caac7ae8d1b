import type { Json } from '../json.js';
import type { JobSummary } from '../operator/job-summary.js';
import type { ProgressRecord } from '../progress.js';
import type { Part, Style } from './output.js';

/** `2026-01-31 08:00:00`, in UTC as everything in the store. */
export function timeText(time: string | Date | undefined): string {
  if (time === undefined) return '';
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString().slice(0, 19).replace('T', ' ');
}

/** `350ms`, `1.2s`, `3m 20s`, `5h 10m`, `2d 3h` */
export function lengthOf(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '';
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`;
  if (milliseconds < 10_000) return `${(milliseconds / 1000).toFixed(1)}s`;
  const seconds = Math.round(milliseconds / 1000);
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = units.findIndex(([count]) => count > 0);
  return units
    .slice(first, first + 2)
    .flatMap(([count, unit]) => (count > 0 ? [`${count}${unit}`] : []))
    .join(' ');
}

/** What a job is called: its key, where that leads to it, or else its resource. */
export function nameOf({ id, key }: Pick<JobSummary, 'id' | 'key'>): string {
  return id === `resources/${key}` ? key : id;
}

export function progressOf(progress: ProgressRecord | undefined): string {
  if (progress === undefined) return '';
  const { done, total, message } = progress;
  const count = total === undefined ? String(done) : `${done} of ${total}`;
  return message === undefined ? count : `${count}: ${message}`;
}

export function problemOf({ error }: Pick<JobSummary, 'error'>): string {
  if (error === undefined) return '';
  return error.type === undefined ? error.message : `${error.type}: ${error.message}`;
}

const STATE_STYLES: Readonly<Record<string, Style>> = Object.freeze({
  ...{ success: 'green', failure: 'red', running: 'cyan', waiting: 'dim' },
  ...{ alive: 'green', silent: 'yellow', ok: 'green', warn: 'yellow', fail: 'red' },
  ...{ skipped: 'dim', missed: 'yellow', held: 'yellow', paused: 'yellow' },
});

export function stateOf(state: string): Part {
  const style = Object.hasOwn(STATE_STYLES, state) ? STATE_STYLES[state] : undefined;
  return style === undefined ? state : { text: state, style };
}

/** Text as it is, everything else as JSON. */
export function metaOf(meta: Json | undefined): string {
  if (meta === undefined) return '';
  return typeof meta === 'string' ? meta : JSON.stringify(meta);
}

/** `1 job`, `2 jobs` */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
