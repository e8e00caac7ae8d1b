import { retryIn, Service } from '@oada/jobs';
import type { BatchJob, RetryOptions } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import type { OADAClient } from '@oada/client';
import { describe, expect, test } from 'vitest';

import { BreakingClient } from '../crash/breaking-connection.js';
import { cutOffEverywhere } from '../crash/points.js';
import type { Point } from '../crash/points.js';
import {
  allFiled,
  BASE,
  countTo,
  ensureLists,
  jobOf,
  keysOf,
  NAME,
  postResource,
  read,
  TOKEN,
  watchRejections,
} from '../setup.js';
import type { Stored } from '../setup.js';

const KEYS = ['a', 'b', 'c'] as const;
type Key = (typeof KEYS)[number];

interface Named {
  readonly name: Key;
}

/** How often the work of each job was run. */
type Runs = Record<Key, number>;

interface Ending {
  readonly name: string;
  readonly work: (jobs: readonly BatchJob<Named>[], runs: Runs) => unknown;
  readonly retries?: RetryOptions;
  /** What is to become of each job, whatever happens. */
  readonly expected: Record<Key, Stored>;
  /** How often the work is run where nothing happens. */
  readonly runs: Runs;
}

const once: Runs = { a: 1, b: 1, c: 1 };
const done = { status: 'success', result: 'done' };
const jammed = { status: 'failure', result: { message: 'jammed' } };

const ENDINGS: readonly Ending[] = [
  {
    name: 'all succeed, each with its own result and log',
    work: async (jobs) => {
      await Promise.all(jobs.map(({ log, jobId }) => log.info('at it', { jobId })));
      return jobs.map(({ job }) => job.config.name);
    },
    expected: {
      a: { status: 'success', result: 'a' },
      b: { status: 'success', result: 'b' },
      c: { status: 'success', result: 'c' },
    },
    runs: once,
  },
  {
    name: 'one succeeds, one fails, one is run again',
    work: (jobs, runs) =>
      jobs.map(({ job }) => {
        if (job.config.name === 'a') return new Error('jammed');
        return job.config.name === 'b' && runs.b === 1 ? retryIn(1) : 'done';
      }),
    expected: { a: jammed, b: done, c: done },
    runs: { a: 1, b: 2, c: 1 },
  },
  {
    name: 'all fail with one error, after a retry',
    work: () => Promise.reject(new Error('jammed')),
    retries: { limit: 1, backoff: 1, jitter: 0 },
    expected: { a: jammed, b: jammed, c: jammed },
    runs: { a: 2, b: 2, c: 2 },
  },
];

interface Life {
  /** Made of the store by the first service, while it had to do with the jobs. */
  readonly requests: number;
  readonly sizes: readonly number[];
  readonly runs: Runs;
  readonly jobs: Readonly<Record<Key, Stored>>;
  readonly filed: readonly { readonly key: string; readonly status: string }[];
  readonly pending: readonly string[];
}

/** Lets a batch live: with a service that is cut off after so many requests, then with another one. */
async function live(ending: Ending, last?: Point): Promise<Life> {
  await using server = await OADAServer.start({ tokens: [{ token: TOKEN, user: 'users/sam' }] });
  const oada = server.client();
  await ensureLists(oada);
  const runs: Runs = { a: 0, b: 0, c: 0 };
  const sizes: number[] = [];
  const serve = (client: OADAClient, leaseTimeout: number, maxWait: number): Service => {
    const options = { maxSize: 3, maxWait, timeout: 10_000, retries: ending.retries ?? { limit: 0 } };
    const service = new Service({ name: NAME, oada: client, drainTimeout: 1, leaseTimeout });
    return service.onBatch<Named>('plough', options, (jobs) => {
      sizes.push(jobs.length);
      for (const { job } of jobs) runs[job.config.name]++;
      return ending.work(jobs, runs);
    });
  };
  const pending = async (): Promise<string[]> => keysOf(await read(oada, `${BASE}/jobs`));

  const ids: Record<string, string> = {};
  for (const name of KEYS) ids[name] = await postResource(oada, jobOf('plough', { name }));
  const breaking = new BreakingClient(server.url, TOKEN);
  const first = serve(breaking.client, 60_000, 100);
  const allFiledByFirst = countTo(first, 'job:filed', KEYS.length);
  await first.start();
  const before = breaking.count;
  if (last !== undefined) breaking.breakAfter(last.count, last.lost);
  const links = Object.fromEntries(KEYS.map((key) => [key, { _id: ids[key] }]));
  await oada.put({ path: `${BASE}/jobs`, data: links, contentType: 'application/json' });
  await Promise.race([breaking.broken, allFiledByFirst]);
  await first.stop();
  const requests = breaking.count - before;

  const second = serve(server.client(), 60, 5);
  const left = (await pending()).length;
  const settled = left > 0 && countTo(second, 'job:filed', left);
  await second.start();
  await settled;
  await second.stop();
  await breaking.disconnect();
  const jobs: Record<Key, Stored> = { a: undefined, b: undefined, c: undefined };
  for (const key of KEYS) jobs[key] = await read(oada, `/${ids[key] ?? ''}`);
  return { requests, sizes, runs, jobs, filed: await allFiled(oada), pending: await pending() };
}

function check(ending: Ending, { jobs, filed, pending, runs }: Life, extra: 0 | 1): void {
  expect(jobs).toMatchObject(ending.expected);
  expect(pending).toEqual([]);
  expect(filed).toHaveLength(KEYS.length);
  for (const key of KEYS) {
    const { _id: id, status, attempts = 0, takeovers = 0 } = jobs[key];
    expect(filed).toContainEqual(expect.objectContaining({ key, id, status }));
    expect(runs[key]).toBeGreaterThanOrEqual(Math.min(1, ending.runs[key]));
    expect(runs[key]).toBeLessThanOrEqual(ending.runs[key] + extra);
    expect(takeovers).toBeLessThanOrEqual(extra);
    expect(attempts).toBeLessThanOrEqual(ending.runs[key] + extra);
  }
}

describe('a service that is cut off after any request during a batch, and another in its place, file each job once', () => {
  test.each(ENDINGS)(
    'when $name',
    async (ending) => {
      watchRejections();
      const whole = await live(ending);
      check(ending, whole, 0);
      expect(whole.runs).toEqual(ending.runs);
      expect(whole.sizes[0]).toBe(KEYS.length);

      let cutOff = 0;
      const all = await cutOffEverywhere(whole.requests, async (point) => {
        const life = await live(ending, point);
        // What three jobs have written together makes some requests more or less.
        if (life.requests >= point.count) cutOff++;
        check(ending, life, 1);
      });
      expect(cutOff).toBeGreaterThan(all * 0.8);
    },
    60_000,
  );
});
