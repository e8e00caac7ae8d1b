import { randomFrom } from '../random.js';

/** What is to happen, and when (ms from the start). The same seed makes the same plan. */
export interface Plan {
  readonly jobs: readonly PlannedJob[];
  readonly faults: readonly Fault[];
}

export type Kind = 'quick' | 'slow' | 'failing' | 'endless' | 'second-try' | 'polling';

export interface PlannedJob {
  readonly at: number;
  readonly key: string;
  readonly type: Kind;
  /** How long the work takes, in ms. */
  readonly takes: number;
}

export type Fault = { readonly at: number } & (
  | { readonly kind: 'server'; readonly lasts: number }
  | ({ readonly instance: number; readonly lasts: number } & (
      | { readonly kind: 'kill' | 'cut' | 'half-open' | 'partition' }
      | { readonly kind: 'delay'; readonly by: number }
      /** A part of the requests is answered by these, done or not. */
      | { readonly kind: 'answers'; readonly status: 412 | 429 | 500; readonly share: number }
    ))
);

/** How many of each fault there are. */
export interface Amounts {
  readonly kills: number;
  readonly servers: number;
  readonly cuts: number;
  readonly halfOpens: number;
  readonly partitions: number;
  readonly delays: number;
  readonly answers: number;
}

/** What a minute is like, for other times in proportion. */
const PER_MINUTE: Amounts = {
  kills: 12,
  servers: 4,
  cuts: 30,
  halfOpens: 3,
  partitions: 3,
  delays: 6,
  answers: 18,
};

export function amountsFor(seconds: number): Amounts {
  const part = (amount: number): number => Math.max(1, Math.round((amount * seconds) / 60));
  const { kills, servers, cuts, halfOpens, partitions, delays, answers } = PER_MINUTE;
  return {
    kills: part(kills),
    servers: part(servers),
    cuts: part(cuts),
    halfOpens: part(halfOpens),
    partitions: part(partitions),
    delays: part(delays),
    answers: part(answers),
  };
}

/** None of the faults but those that are named. */
export function only(amounts: Amounts, names: readonly string[]): Amounts {
  const kept = Object.entries(amounts).map(([name, amount]) => [name, names.includes(name) ? amount : 0]);
  return Object.fromEntries(kept) as Amounts;
}

export interface PlanOptions {
  readonly seed: number;
  readonly jobs: number;
  readonly instances: number;
  readonly seconds: number;
  readonly amounts: Amounts;
  /** The instances' `leaseTimeout`: some outages are longer, some shorter. */
  readonly lease: number;
}

export function makePlan({ seed, jobs, instances, seconds, amounts, lease }: PlanOptions): Plan {
  const random = randomFrom(seed);
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  const length = seconds * 1000;
  const moment = (): number => between(0.05 * length, 0.95 * length);
  const times = <T>(count: number, make: (index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) => make(index));
  const someone = (): { at: number; instance: number } => ({
    at: moment(),
    instance: between(0, instances - 1),
  });
  const faults: Fault[] = [
    ...times(amounts.kills, () => ({
      ...someone(),
      kind: 'kill' as const,
      lasts: between(200, 1.5 * lease),
    })),
    ...times(amounts.servers, (index) => ({
      at: moment(),
      kind: 'server' as const,
      lasts: index % 2 === 0 ? between(100, lease / 2) : between(lease, 1.5 * lease),
    })),
    ...times(amounts.cuts, () => ({ ...someone(), kind: 'cut' as const, lasts: 0 })),
    ...times(amounts.halfOpens, () => ({ ...someone(), kind: 'half-open' as const, lasts: 0 })),
    ...times(amounts.partitions, () => ({
      ...someone(),
      kind: 'partition' as const,
      lasts: between(lease / 2, 2 * lease),
    })),
    ...times(amounts.delays, () => ({
      ...someone(),
      kind: 'delay' as const,
      lasts: between(500, 3000),
      by: between(20, lease / 12),
    })),
    ...times(amounts.answers, (index) => ({
      ...someone(),
      kind: 'answers' as const,
      lasts: between(500, 4000),
      status: ([500, 412, 429] as const)[index % 3] ?? 500,
      share: 0.1 + 0.4 * random(),
    })),
  ];
  const kinds: readonly Kind[] = [
    'quick',
    'quick',
    'quick',
    'slow',
    'failing',
    'endless',
    'second-try',
    'polling',
  ];
  const planned = times(jobs, (index): PlannedJob => {
    const type = kinds[between(0, kinds.length - 1)] ?? 'quick';
    const takes = type === 'slow' ? between(300, 1200) : between(1, 80);
    return { at: (index / jobs) * length, key: `job${String(index)}`, type, takes };
  });
  return { jobs: planned, faults: faults.toSorted((one, other) => one.at - other.at) };
}
