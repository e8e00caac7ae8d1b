import { documentAt } from '../document-at.js';
import { isJsonObject } from '../json.js';
import { isJobOf } from '../operator/job-of.js';
import { summaryOf } from '../operator/job-summary.js';
import type { ListEntry } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import type { FinalStatus } from '../paths.js';
import type { LiveEvents, ThroughputPoint } from './api.js';
import type { LiveDays } from './live-days.js';
import { Paced } from './paced.js';
import { Throughput } from './throughput.js';
import type { FinishedSample } from './throughput.js';

export interface LiveFinishedOptions {
  /** Of some of those that were filed. */
  readonly finished: (jobs: LiveEvents['finished']) => void;
  readonly point: (point: ThroughputPoint) => void;
  readonly lost: (error: Error) => void;
}

type Filed = ListEntry & {
  readonly list: FinalStatus;
  /** In ms since 1970. */
  readonly heard: number;
};
type FinishedJob = LiveEvents['finished'][number];
/** The job, and when its filing was heard of. */
type ReadJob = readonly [FinishedJob, heard: number];

/** Twenty in a second, in two parts. */
const PACE_MS = 500;
const MOST_TOLD = 10;
const SEEDS = 200;
/** Which part of them, the latest by their ends, is taken for all that there were in that time. */
const DENSE = 0.75;
/** How many documents are read at once. */
const AT_ONCE = 50;

/** What becomes of jobs, as they are filed: how many, how long they took, and which they were. */
export class LiveFinished {
  readonly throughput: Throughput;
  readonly #deps: OperatorDeps;
  readonly #options: LiveFinishedOptions;
  readonly #told: Paced;
  /** The latest of those that were not told of. */
  #waiting: Filed[] = [];
  /** Those that were filed since, and are counted: until the rest is. */
  #filed = new Set<string>();
  #isSeeded = false;

  constructor(deps: OperatorDeps, options: LiveFinishedOptions) {
    this.#deps = deps;
    this.#options = options;
    this.throughput = new Throughput(deps.clock, options.point);
    this.#told = new Paced(deps.clock, PACE_MS, () => {
      this.#tell().catch(options.lost);
    });
  }

  filed(list: FinalStatus, entries: readonly ListEntry[]): void {
    this.throughput.add(list, entries.length);
    if (!this.#isSeeded) for (const { id } of entries) this.#filed.add(id);
    const heard = this.#deps.clock.now().getTime();
    const latest = entries.slice(-MOST_TOLD).map((entry): Filed => ({ ...entry, list, heard }));
    this.#waiting = [...this.#waiting, ...latest].slice(-MOST_TOLD);
    this.#told.ask();
  }

  /** Looks at the latest that were filed, for what was before: at those that were there when somebody began to look. */
  async seed(days: Pick<LiveDays, 'latest' | 'latestBefore'>): Promise<void> {
    const heard = this.#deps.clock.now().getTime();
    const before = this.#filed;
    this.#isSeeded = true;
    this.#filed = new Set();
    const ofToday = days.latest(SEEDS + before.size);
    const all = [...ofToday, ...(await days.latestBefore(SEEDS))];
    const latest = all
      .filter(({ entry }) => !before.has(entry.id))
      .map(({ entry, status }): Filed => ({ ...entry, list: status, heard }))
      .slice(0, SEEDS);
    const samples: FinishedSample[] = [];
    for (let from = 0; from < latest.length; from += AT_ONCE) {
      for (const [{ list, finished, duration }] of await this.#read(latest.slice(from, from + AT_ONCE)))
        if (finished !== undefined) samples.push({ time: Date.parse(finished), status: list, duration });
    }
    if (latest.length < SEEDS) this.throughput.seed(samples, true);
    else this.throughput.seed(densest(samples), false);
  }

  stop(): void {
    this.throughput.stop();
    this.#told.stop();
  }

  async #tell(): Promise<void> {
    const jobs = await this.#read(this.#waiting.splice(0));
    for (const [{ duration }, heard] of jobs)
      if (duration !== undefined) this.throughput.addDuration(duration, heard);
    if (jobs.length > 0) this.#options.finished(jobs.map(([job]) => job));
  }

  async #read(filed: readonly Filed[]): Promise<ReadJob[]> {
    const { store, service } = this.#deps;
    const jobs = await Promise.all(
      filed.map(async ({ id, key, list, heard }): Promise<ReadJob[]> => {
        const data = await documentAt(store, `/${id}`);
        const isOne = isJsonObject(data) && isJobOf(service, data);
        return isOne ? [[{ ...summaryOf(id, key, data), list }, heard]] : [];
      }),
    );
    return jobs.flat();
  }
}

/** Keys tell when jobs were submitted: some of the latest may have ended long before the others that were there then. */
function densest(samples: readonly FinishedSample[]): FinishedSample[] {
  const latest = samples.toSorted((one, other) => other.time - one.time);
  return latest.slice(0, Math.ceil(latest.length * DENSE));
}
