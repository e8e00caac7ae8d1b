import { unlessMissing } from '../errors.js';
import { isJsonObject } from '../json.js';
import { summaryOf } from '../operator/job-summary.js';
import type { ListEntry } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import type { FinalStatus } from '../paths.js';
import type { LiveEvents, ThroughputPoint } from './api.js';
import { isJobOf } from './job-view.js';
import type { LiveDays } from './live-days.js';
import { Paced } from './paced.js';
import { POINT_MS, Throughput } from './throughput.js';
import type { FinishedSample } from './throughput.js';

export interface LiveFinishedOptions {
  /** Of some of those that were filed. */
  readonly finished: (jobs: LiveEvents['finished']) => void;
  readonly point: (point: ThroughputPoint) => void;
  readonly lost: (error: Error) => void;
}

type Filed = ListEntry & { readonly list: FinalStatus };
type FinishedJob = LiveEvents['finished'][number];

/** Twenty in a second, in two parts. */
const PACE_MS = 500;
const MOST_TOLD = 10;
const SEEDS = 200;
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
    const latest = entries.slice(-MOST_TOLD).map((entry): Filed => ({ ...entry, list }));
    this.#waiting = [...this.#waiting, ...latest].slice(-MOST_TOLD);
    this.#told.ask();
  }

  /** Looks at the latest of today, for what was before. */
  async seed(days: LiveDays): Promise<void> {
    const latest = days.latest(SEEDS).map(({ entry, status }): Filed => ({ ...entry, list: status }));
    const samples: FinishedSample[] = [];
    for (let from = 0; from < latest.length; from += AT_ONCE) {
      const jobs = await this.#read(latest.slice(from, from + AT_ONCE));
      for (const { list, finished, duration } of jobs)
        if (finished !== undefined) samples.push({ time: Date.parse(finished), status: list, duration });
    }
    const now = this.#deps.clock.now().getTime();
    // Those of a few seconds ago are told of as they are filed.
    const before = samples.filter(({ time }) => time < now - (now % POINT_MS));
    this.throughput.seed(before, latest.length < SEEDS);
  }

  stop(): void {
    this.throughput.stop();
    this.#told.stop();
  }

  async #tell(): Promise<void> {
    const jobs = await this.#read(this.#waiting.splice(0));
    for (const { duration } of jobs) if (duration !== undefined) this.throughput.addDuration(duration);
    if (jobs.length > 0) this.#options.finished(jobs);
  }

  async #read(filed: readonly Filed[]): Promise<FinishedJob[]> {
    const { store, service } = this.#deps;
    const jobs = await Promise.all(
      filed.map(async ({ id, key, list }): Promise<FinishedJob[]> => {
        const data = (await unlessMissing(store.get(`/${id}`)))?.data;
        const isOne = isJsonObject(data) && isJobOf(service, data);
        return isOne ? [{ ...summaryOf(id, key, data), list }] : [];
      }),
    );
    return jobs.flat();
  }
}
