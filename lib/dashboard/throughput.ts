import type { Clock } from '../clock.js';
import type { FinalStatus } from '../paths.js';
import type { ThroughputPoint } from './api.js';

export const POINT_MS = 10_000;
const POINTS = 360;
/** Of one point: more would not change its median by much. */
const MOST_DURATIONS = 1000;

/** Of a job that is over. */
export interface FinishedSample {
  /** In milliseconds since 1970. */
  readonly time: number;
  readonly status: FinalStatus;
  readonly duration: number | undefined;
}

interface Bucket {
  readonly time: number;
  success: number;
  failure: number;
  readonly durations: number[];
}

/** How many jobs were finished in each ten seconds of the last hour. */
export class Throughput {
  readonly #clock: Clock;
  readonly #onPoint: (point: ThroughputPoint) => void;
  /** In the order of time, without gaps; the last one goes on. */
  #buckets: Bucket[];
  #cancel: () => void = () => undefined;

  /** @param onPoint is told of each that is over */
  constructor(clock: Clock, onPoint: (point: ThroughputPoint) => void) {
    this.#clock = clock;
    this.#onPoint = onPoint;
    this.#buckets = [emptyBucket(beginOf(clock.now().getTime()))];
    this.#rollLater();
  }

  /** Those that are over. */
  get points(): ThroughputPoint[] {
    return this.#buckets.slice(0, -1).map(pointOf);
  }

  add(status: FinalStatus, count: number): void {
    this.#roll();
    const current = this.#buckets.at(-1);
    if (current !== undefined) current[status] += count;
  }

  addDuration(duration: number): void {
    const durations = this.#buckets.at(-1)?.durations;
    if (durations !== undefined && durations.length < MOST_DURATIONS) durations.push(duration);
  }

  /**
   * What is known of the time before: nothing is known from before the first of them.
   *
   * @param isAll whether there were no others within the hour
   */
  seed(samples: readonly FinishedSample[], isAll: boolean): void {
    const [first] = this.#buckets;
    if (first === undefined) return;
    const oldest = first.time - (POINTS - this.#buckets.length) * POINT_MS;
    const times = samples.map(({ time }) => time);
    const since = Math.max(oldest, isAll ? oldest : beginOf(Math.min(first.time, ...times)));
    const before = new Map<number, Bucket>();
    for (let time = since; time < first.time; time += POINT_MS) before.set(time, emptyBucket(time));
    for (const { time, status, duration } of samples) {
      const bucket = before.get(beginOf(time));
      if (bucket === undefined) continue;
      bucket[status]++;
      if (duration !== undefined) bucket.durations.push(duration);
    }
    this.#buckets = [...before.values(), ...this.#buckets];
  }

  stop(): void {
    this.#cancel();
  }

  #rollLater(): void {
    const now = this.#clock.now().getTime();
    this.#cancel = this.#clock.setTimer(
      () => {
        this.#roll();
        this.#rollLater();
      },
      beginOf(now) + POINT_MS - now,
    );
  }

  /** Ends the points whose time is over: a machine may have slept. */
  #roll(): void {
    const begin = beginOf(this.#clock.now().getTime());
    let current = this.#buckets.at(-1);
    if (current === undefined) return;
    if (begin - current.time > POINTS * POINT_MS) this.#buckets = [current];
    const from = Math.max(current.time + POINT_MS, begin - (POINTS - 1) * POINT_MS);
    for (let time = from; time <= begin; time += POINT_MS) {
      this.#onPoint(pointOf(current));
      current = emptyBucket(time);
      this.#buckets.push(current);
    }
    if (this.#buckets.length > POINTS + 1) this.#buckets.splice(0, this.#buckets.length - POINTS - 1);
  }
}

function beginOf(time: number): number {
  return Math.floor(time / POINT_MS) * POINT_MS;
}

function emptyBucket(time: number): Bucket {
  return { time, success: 0, failure: 0, durations: [] };
}

function pointOf({ time, success, failure, durations }: Bucket): ThroughputPoint {
  const sorted = durations.toSorted((one, other) => one - other);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return {
    ...{ time: new Date(time).toISOString(), success, failure },
    ...(sorted.length > 0 && { duration: { median: at(0.5), p95: at(0.95) } }),
  };
}
