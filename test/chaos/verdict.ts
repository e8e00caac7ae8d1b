import type { Interruption } from './chaos.js';
import { NAME } from './names.js';
import type { Line } from './names.js';
import type { Kind, PlannedJob } from './plan.js';
import { get } from './requests.js';

export interface Verdict {
  readonly jobs: number;
  readonly filed: number;
  /** In no day-index, or still pending. */
  readonly lost: number;
  /** In more than one day-index, or twice in one. */
  readonly filedTwice: number;
  /** More than one end is written in the job's document. */
  readonly decidedTwice: number;
  readonly wrongOutcome: number;
  readonly runs: number;
  /** Those that neither the first run nor a retry that is written in the job's document accounts for. */
  readonly extraRuns: number;
  /** How many jobs an instance had when it was killed or cut off, all such moments together. */
  readonly extraRunsAllowed: number;
  /** Jobs of a killed instance that were run again, and after what time, in ms. */
  readonly takeovers: {
    readonly count: number;
    readonly median: number;
    readonly max: number;
    readonly each: readonly number[];
  };
  readonly broken: readonly string[];
}

export interface Evidence {
  readonly url: string;
  readonly jobs: readonly PlannedJob[];
  readonly runs: readonly Line[];
  readonly interruptions: readonly Interruption[];
}

const EXPECTED: Readonly<Record<Kind, object>> = {
  quick: { status: 'success', failureType: undefined },
  slow: { status: 'success', failureType: undefined },
  failing: { status: 'failure', failureType: 'bad' },
  endless: { status: 'failure', failureType: 'timeout' },
  'second-try': { status: 'success', failureType: undefined },
  polling: { status: 'success', failureType: undefined },
};

/** Compares what is in the store, and what the instances wrote of their runs, with what was promised. */
export async function judge({ url, jobs, runs, interruptions }: Evidence): Promise<Verdict> {
  const filed = await allFiled(url);
  const pending = new Set(keysOf(await get(url, `/bookmarks/services/${NAME}/jobs`)));
  const started = runs.filter(({ what }) => what === 'started');
  const starts = new Map<string, number>();
  for (const { key } of started) starts.set(key, (starts.get(key) ?? 0) + 1);
  const broken: string[] = [];
  let [lost, filedTwice, decidedTwice, wrongOutcome, extraRuns] = [0, 0, 0, 0, 0];
  for (const { key, type } of jobs) {
    const entries = filed.get(key) ?? [];
    const { status, failureType, result, updates } = documentOf(await get(url, `/resources/${key}`));
    const told = updates.map((update) => update.status);
    const ends = told.filter((one) => one === 'success' || one === 'failure').length;
    const expected = JSON.stringify(EXPECTED[type]);
    const isRight =
      JSON.stringify({ status, failureType }) === expected &&
      (status !== 'success' || (result as { key?: unknown } | undefined)?.key === key) &&
      entries.every((entry) => entry === status);
    const extra = (starts.get(key) ?? 0) - 1 - told.filter((one) => one === 'retrying').length;
    if (entries.length === 0 || pending.has(key)) lost++;
    if (entries.length > 1) filedTwice++;
    if (ends > 1) decidedTwice++;
    if (entries.length > 0 && !isRight) wrongOutcome++;
    extraRuns += Math.max(0, extra);
    if (entries.length !== 1 || pending.has(key) || ends > 1 || !isRight || extra < 0)
      broken.push(JSON.stringify({ key, type, entries, pending: pending.has(key), told, status, extra }));
  }
  const had = interruptions.map((interruption) => inProgress(runs, interruption));
  const extraRunsAllowed = had.reduce((sum, keys) => sum + keys.length, 0);
  if (extraRuns > extraRunsAllowed) {
    broken.push(`${String(extraRuns)} extra runs, of ${String(extraRunsAllowed)} allowed`);
  }
  const kills = interruptions.filter(({ kind }) => kind === 'kill');
  const times = kills.flatMap((kill) => takeoverTimes(started, kill, inProgress(runs, kill)));
  const sorted = times.toSorted((one, other) => one - other);
  return {
    jobs: jobs.length,
    filed: filed.size,
    ...{ lost, filedTwice, decidedTwice, wrongOutcome },
    ...{ runs: started.length, extraRuns, extraRunsAllowed },
    takeovers: {
      count: sorted.length,
      each: sorted,
      median: sorted[Math.floor(sorted.length / 2)] ?? 0,
      max: sorted.at(-1) ?? 0,
    },
    broken,
  };
}

/** The jobs of a process that had begun, and whose end was not stored. */
export function inProgress(runs: readonly Line[], { pid, from, to }: Interruption): string[] {
  const open = new Set<string>();
  for (const { pid: by, what, at, key } of runs) {
    if (by !== pid) continue;
    if (what === 'started' && at <= to) open.add(key);
    else if (what === 'stored' && at < from) open.delete(key);
  }
  return [...open];
}

function takeoverTimes(started: readonly Line[], { from }: Interruption, keys: readonly string[]): number[] {
  return keys.flatMap((key) => {
    const again = started.filter((line) => line.key === key && line.at > from).map(({ at }) => at - from);
    return again.length === 0 ? [] : [Math.min(...again)];
  });
}

/** Under which statuses each key is filed, over all days. */
async function allFiled(url: string): Promise<Map<string, string[]>> {
  const filed = new Map<string, string[]>();
  for (const status of ['success', 'failure']) {
    const index = `/bookmarks/services/${NAME}/jobs-${status}/day-index`;
    for (const date of keysOf(await get(url, index))) {
      for (const key of keysOf(await get(url, `${index}/${date}`)))
        filed.set(key, [...(filed.get(key) ?? []), status]);
    }
  }
  return filed;
}

function keysOf(list: unknown): string[] {
  if (typeof list !== 'object' || list === null) return [];
  return Object.keys(list).filter((key) => !key.startsWith('_'));
}

interface JobDocument {
  readonly status?: string;
  readonly failureType?: string;
  readonly result?: unknown;
  readonly updates: readonly { readonly status?: string }[];
}

function documentOf(stored: unknown): JobDocument {
  const document = (stored ?? {}) as Omit<JobDocument, 'updates'> & {
    updates?: Record<string, { status?: string }>;
  };
  return { ...document, updates: Object.values(document.updates ?? {}) };
}
