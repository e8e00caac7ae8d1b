import { backoff, sleep } from '../clock.js';
import type { Clock } from '../clock.js';
import type { Json } from '../json.js';
import type { Store } from '../oada/store.js';
import { dayOf, entriesOf, entryPath, linkedId } from '../paths.js';
import type { FinalStatus, Paths } from '../paths.js';
import { find, isRemovable, readDays, readPending, readTypedDays } from './day-lists.js';
import type { DayList, Found } from './day-lists.js';
import { DAY_MS, firstKept, order } from './policy.js';
import type { ResolvedRetention } from './policy.js';
import { deleteIfUnchanged, readFiled, readKeys, settle } from './verdict.js';
import type { Verdict, VerdictDeps } from './verdict.js';

/** How many jobs are looked at before there is a pause. */
const STEP = 100;
const PAUSE_MS = 1000;
/** How many requests are on their way at once: work goes first. */
const AT_ONCE = 2;
/** How often a list that is written to all the time is tried to be deleted. */
const TRIES = 5;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5000;
/** How many days are remembered. */
const MOST_COUNTS = 10_000;

export interface PruneOptions {
  readonly retention: ResolvedRetention;
  readonly clock: Clock;
  /** Ends it after the requests that are on their way. */
  readonly signal?: AbortSignal;
  /** Whether nothing is deleted, and only counted what would be. @defaultValue false */
  readonly dryRun?: boolean;
  /** How many jobs stand in lists that were counted before; filled, and to be given again the next time. */
  readonly counts?: Map<string, number>;
  /** Told after each step in which jobs were deleted. */
  onStep?(step: PrunedStep): void;
}

export interface PrunedStep {
  readonly status: FinalStatus;
  /** How many jobs. */
  readonly count: number;
  /** The first day that is kept. */
  readonly before: string;
}

export interface Pruned {
  /** How many job documents were deleted. */
  readonly jobs: number;
  /** How many lists of days were, those of failure types included. */
  readonly days: number;
}

/** What one call works with. */
interface Pruning extends Omit<VerdictDeps, 'pending' | 'filed' | 'keys'> {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly counts: Map<string, number>;
  onStep(step: PrunedStep): void;
  /** How many jobs may be looked at before the next pause. */
  left: number;
  jobs: number;
  days: number;
}

/** The lists of a status that have to go, the oldest first. */
interface Expired {
  readonly status: FinalStatus;
  readonly before: string;
  readonly lists: readonly DayList[];
}

/** What is known of the resources that the lists of one day lead to: a failure may stand in two. */
type Verdicts = Map<string, Verdict>;

/**
 * Deletes the finished jobs that were kept long enough, whole days of them, the oldest first.
 *
 * First the jobs of a day are deleted, then the list, and last what leads to the list: after a crash between any two,
 * or a call that was ended, the next one finds what is left.
 *
 * @throws {StoreError}
 */
export async function pruneJobs(store: Store, paths: Paths, options: PruneOptions): Promise<Pruned> {
  const { retention, clock, signal, dryRun = false, counts = new Map<string, number>() } = options;
  const onStep = options.onStep?.bind(options) ?? (() => undefined);
  const pruning = { store, paths, clock, signal, dryRun, counts, onStep, left: STEP, jobs: 0, days: 0 };
  for (const status of ['success', 'failure'] as const) {
    const { age, keep } = retention[status];
    if ((age === Infinity && keep === Infinity) || isEnded(pruning)) continue;
    await pruneLists(await readExpired(status, retention, pruning), pruning);
  }
  return { jobs: pruning.jobs, days: pruning.days };
}

/** Asked anew after each request. */
function isEnded({ signal }: Pruning): boolean {
  return signal?.aborted === true;
}

async function readExpired(
  status: FinalStatus,
  retention: ResolvedRetention,
  pruning: Pruning,
): Promise<Expired> {
  const { store, paths, clock } = pruning;
  const now = clock.now();
  const days = await readDays(store, paths, status);
  const counted = days.map((list) => ({ date: list.date, count: () => countOf(list, now, pruning) }));
  const before = await firstKept(retention[status], counted, now);
  const typed = status === 'failure' ? await readTypedDays(store, paths) : [];
  const lists = [...days, ...typed].filter(({ date }) => date < before).toSorted(order);
  return { status, before, lists };
}

/** Lists of old days stay as they are, but for their pruning: they are read once. */
async function countOf(list: DayList, now: Date, { store, counts }: Pruning): Promise<number> {
  const name = `${list.path} ${String(list.id)} ${String(list.rev)}`;
  const known = counts.get(name);
  if (known !== undefined) return known;
  const found = await find(store, list.path);
  const count = found.kind === 'document' ? entriesOf(found.data).size : 0;
  if (counts.size >= MOST_COUNTS) counts.clear();
  if (list.date < dayOf(new Date(now.getTime() - DAY_MS))) counts.set(name, count);
  return count;
}

async function pruneLists({ status, before, lists }: Expired, pruning: Pruning): Promise<void> {
  let verdicts: Verdicts = new Map();
  let date = '';
  const onDeleted = (count: number): void => {
    pruning.jobs += count;
    if (count > 0) pruning.onStep({ status, count, before });
  };
  for (const list of lists) {
    if (isEnded(pruning)) return;
    if (list.date !== date) verdicts = new Map();
    date = list.date;
    await pruneList(list, verdicts, onDeleted, pruning);
  }
}

async function pruneList(
  list: DayList,
  verdicts: Verdicts,
  onDeleted: (count: number) => void,
  pruning: Pruning,
): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const found = await find(pruning.store, placeOf(list));
    const entries = found.kind === 'document' ? [...entriesOf(found.data)] : [];
    const fresh = new Set(entries.flatMap(([, entry]) => linkedId(entry) ?? []));
    for (const id of verdicts.keys()) fresh.delete(id);
    await settleAll([...fresh], { list, verdicts, onDeleted }, pruning);
    if (isEnded(pruning)) return;
    const isKept = entries.some(([, entry]) => verdicts.get(linkedId(entry) ?? '') === 'kept');
    if (isKept) {
      await unlink(list, entries, verdicts, pruning);
      return;
    }
    // What was filed meanwhile is looked at before the list goes.
    if (await deleteList(list, found, pruning)) {
      pruning.days++;
      return;
    }
    // Where its links are versioned, the store writes to it after each deletion.
    const { clock, signal } = pruning;
    await sleep(clock, backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS), signal);
  }
}

/** Not by way of its link: what that leads to may be another list by now. */
function placeOf({ id, path }: DayList): string {
  return id === undefined ? path : `/${id}`;
}

/** @returns false where somebody has written to it */
async function deleteList({ id, path }: DayList, found: Found, pruning: Pruning): Promise<boolean> {
  const { store, dryRun } = pruning;
  if (dryRun) return true;
  if (id !== undefined && found.kind === 'document') {
    if (!(await deleteIfUnchanged(store, `/${id}`, found.etag))) return false;
  }
  await store.delete(path);
  return true;
}

interface Settling {
  readonly list: DayList;
  readonly verdicts: Verdicts;
  readonly onDeleted: (count: number) => void;
}

/** In steps, with a pause after each. */
async function settleAll(ids: readonly string[], settling: Settling, pruning: Pruning): Promise<void> {
  const { list, verdicts, onDeleted } = settling;
  const filed = once((path: string) => readFiled(pruning.store, path));
  let rest = ids;
  while (rest.length > 0 && !isEnded(pruning)) {
    // These are read anew in each step.
    const pending = once(() => readPending(pruning.store, pruning.paths));
    const keys = once((path: string) => readKeys(pruning.store, path));
    const deps = { ...pruning, filed, pending: () => pending(''), keys };
    const step = rest.slice(0, pruning.left);
    let count = 0;
    rest = rest.slice(step.length);
    try {
      await someAtOnce(step, pruning, async (id) => {
        const verdict = await settle(id, list, deps);
        verdicts.set(id, verdict);
        if (verdict === 'deleted') count++;
      });
    } finally {
      onDeleted(count);
    }
    await pauseAfter(step.length, pruning);
  }
}

/** Takes what was settled out of a list that has to stay. A key that no path can name stays with it. */
async function unlink(
  { path }: DayList,
  entries: readonly [string, Json][],
  verdicts: Verdicts,
  pruning: Pruning,
): Promise<void> {
  const { store, dryRun } = pruning;
  if (dryRun) return;
  let rest = entries.flatMap(([key, entry]) => {
    const isSettled = verdicts.get(linkedId(entry) ?? '') !== 'kept';
    return isSettled && isRemovable(key) ? [key] : [];
  });
  while (rest.length > 0 && !isEnded(pruning)) {
    const step = rest.slice(0, pruning.left);
    rest = rest.slice(step.length);
    await someAtOnce(step, pruning, (key) => store.delete(entryPath(path, key)));
    await pauseAfter(step.length, pruning);
  }
}

async function pauseAfter(count: number, pruning: Pruning): Promise<void> {
  pruning.left -= count;
  if (pruning.left > 0) return;
  pruning.left = STEP;
  if (!pruning.dryRun) await sleep(pruning.clock, PAUSE_MS, pruning.signal);
}

/** Begins nothing more after a failure, or when it is to end; what has begun is waited for. */
async function someAtOnce<T>(
  items: readonly T[],
  pruning: Pruning,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items].values();
  let failed = false;
  const workOff = async (): Promise<void> => {
    for (const item of waiting) {
      if (failed || isEnded(pruning)) return;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, workOff));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Asks once for each name. */
function once<T>(ask: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (name) => {
    const answer = answers.get(name) ?? ask(name);
    answers.set(name, answer);
    return answer;
  };
}
