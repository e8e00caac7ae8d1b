import type { ThroughputPoint } from '../../api.js';

/** What uPlot draws: times in seconds, then the values of each series. */
export type Series = readonly (readonly (number | null)[])[];

export interface Minute {
  /** When it began, in seconds. */
  readonly at: number;
  readonly success: number;
  readonly failure: number;
}

const MINUTE_S = 60;

/** Of the last hour, also those in which nothing was filed: they are what a gap looks like. */
export function minutesOf(points: readonly ThroughputPoint[], now: number = Date.now()): Minute[] {
  const last = Math.floor(now / 1000 / MINUTE_S) * MINUTE_S;
  const sums = new Map<number, { success: number; failure: number }>();
  for (const { time, success, failure } of points) {
    const at = Math.floor(Date.parse(time) / 1000 / MINUTE_S) * MINUTE_S;
    const sum = sums.get(at) ?? { success: 0, failure: 0 };
    sums.set(at, { success: sum.success + success, failure: sum.failure + failure });
  }
  return Array.from({ length: 60 }, (_, index) => {
    const at = last - (59 - index) * MINUTE_S;
    return { at, ...(sums.get(at) ?? { success: 0, failure: 0 }) };
  });
}

/** Failures stand on top of successes: the first series is both, and the second is drawn over it. */
export function throughputData(minutes: readonly Minute[]): Series {
  return [
    minutes.map(({ at }) => at),
    minutes.map(({ success, failure }) => success + failure),
    minutes.map(({ failure }) => failure),
  ];
}

export function durationData(points: readonly ThroughputPoint[]): Series {
  return [
    points.map(({ time }) => Date.parse(time) / 1000),
    points.map(({ duration }) => duration?.median ?? null),
    points.map(({ duration }) => duration?.p95 ?? null),
  ];
}
