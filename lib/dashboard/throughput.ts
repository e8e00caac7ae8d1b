import type { Clock } from '../clock.js';
import type { FinalStatus } from '../paths.js';
import type { ThroughputPoint } from './api.js';

const POINT_MS = 10_000;
const POINTS = 360;
/** How long after its end a point is told of. */
const GRACE_MS = 1000;
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
  /** When the first that was not told of began. */
  #toTell: number;
  #cancel: () => void = () => undefined;

  /** @param onPoint is told of each that is over */
  constructor(clock: Clock, onPoint: (point: ThroughputPoint) => void) {
    this.#clock = clock;
    this.#onPoint = onPoint;
    this.#toTell = beginOf(clock.now().getTime());
    this.#buckets = [emptyBucket(this.#toTell)];
    this.#tellLater();
  }

  /** Those that are over. */
  get points(): ThroughputPoint[] {
    return this.#buckets.filter(({ time }) => time < this.#toTell).map(pointOf);
  }

  /** Jobs were filed now. */
  add(status: FinalStatus, count: number): void {
    this.#goOn();
    const current = this.#buckets.at(-1);
    if (current !== undefined) current[status] += count;
  }

  /** @param time when the job was filed, in ms since 1970 */
  addDuration(duration: number, time: number): void {
    const durations = this.#buckets.findLast((bucket) => bucket.time <= time)?.durations;
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
    const since = isAll ? oldest : Math.max(oldest, beginOf(Math.min(first.time, ...times)));
    const before = new Map<number, Bucket>();
    for (let time = since; time < first.time; time += POINT_MS) before.set(time, emptyBucket(time));
    for (const { time, status, duration } of samples) {
      const bucket = before.get(beginOf(time)) ?? (time >= first.time ? first : undefined);
      if (bucket === undefined) continue;
      bucket[status]++;
      if (duration !== undefined) bucket.durations.push(duration);
    }
    this.#buckets = [...before.values(), ...this.#buckets];
  }

  stop(): void {
    this.#cancel();
  }

  #tellLater(): void {
    const now = this.#clock.now().getTime();
    this.#cancel = this.#clock.setTimer(
      () => {
        this.#tell();
        this.#tellLater();
      },
      beginOf(now - GRACE_MS) + POINT_MS + GRACE_MS - now,
    );
  }

  /** The durations of the last jobs of a point are read after its end. */
  #tell(): void {
    this.#goOn();
    const until = beginOf(this.#clock.now().getTime() - GRACE_MS);
    const over = this.#buckets.filter(({ time }) => time >= this.#toTell && time < until);
    this.#toTell = Math.max(this.#toTell, until);
    for (const bucket of over) this.#onPoint(pointOf(bucket));
  }

  /** Begins the points whose time has come: a machine may have slept. */
  #goOn(): void {
    const begin = beginOf(this.#clock.now().getTime());
    const last = this.#buckets.at(-1)?.time ?? begin;
    const from = Math.max(last + POINT_MS, begin - (POINTS - 1) * POINT_MS);
    for (let time = from; time <= begin; time += POINT_MS) this.#buckets.push(emptyBucket(time));
    this.#buckets = this.#buckets.filter(({ time }) => time > begin - (POINTS + 1) * POINT_MS);
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
