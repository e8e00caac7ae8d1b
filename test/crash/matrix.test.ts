import { retryIn, Service } from '@oada/jobs';
import type { Job, RetryOptions, WorkerContext } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import type { OADAClient } from '@oada/client';
import { describe, expect, test } from 'vitest';

import { toError } from '../../lib/errors.js';
import {
  allFiled,
  BASE,
  deferred,
  ensureLists,
  jobOf,
  keysOf,
  NAME,
  postJob,
  read,
  TOKEN,
  watchRejections,
} from '../setup.js';
import type { Stored } from '../setup.js';
import { BreakingClient } from './breaking-connection.js';
import { cutOffEverywhere } from './points.js';
import type { Point } from './points.js';

const NONE = { limit: 0 } as const;
const ONE = { limit: 1, backoff: 1, jitter: 0 } as const;
const SCHEMA = { properties: { width: { type: 'number' } } };
const KEY = 'mine';

interface Run {
  /** Of all instances together, this one included. */
  readonly runs: number;
  /** Is it the service that is cut off? */
  readonly isFirst: boolean;
}

interface Ending {
  readonly name: string;
  readonly work: (job: Job, context: WorkerContext, run: Run) => unknown;
  readonly timeout?: number;
  readonly retries?: RetryOptions;
  readonly config?: object;
  /** The job is asked to be cancelled, or the service to stop, when its work begins. */
  readonly onRun?: 'cancel' | 'stop';
  /** The job is there before the service is. */
  readonly early?: boolean;
  /** What is to become of the job, whatever happens. */
  readonly expected: Stored;
  /** How often the work is run where nothing happens. */
  readonly runs: number;
}

const done = { status: 'success', result: 'done' };

const ENDINGS: readonly Ending[] = [
  { name: 'a success', work: () => 'done', expected: done, runs: 1 },
  {
    name: 'a success from the start of its service',
    work: () => 'done',
    early: true,
    expected: done,
    runs: 1,
  },
  {
    name: 'a success with updates',
    work: async (_job, { log }) => {
      await log.info('at it');
      void log.info('nearly there');
      return 'done';
    },
    expected: done,
    runs: 1,
  },
  {
    name: 'a failure',
    work: () => {
      throw new Error('broken');
    },
    expected: { status: 'failure', result: { message: 'broken' } },
    runs: 1,
  },
  {
    name: 'a timeout',
    work: () => new Promise(() => undefined),
    timeout: 10,
    expected: { status: 'failure', failureType: 'timeout' },
    runs: 1,
  },
  {
    name: 'a success after a retry',
    retries: ONE,
    work: ({ attempts }) => {
      if (attempts === 0) throw new Error('not yet');
      return 'done';
    },
    expected: done,
    runs: 2,
  },
  {
    name: 'a failure after a retry',
    retries: ONE,
    work: () => {
      throw new Error('never');
    },
    expected: { status: 'failure', result: { message: 'never' } },
    runs: 2,
  },
  {
    name: 'a success of work that asked to be run again',
    work: (_job, _context, { runs }) => (runs === 1 ? retryIn(1) : 'done'),
    expected: done,
    runs: 2,
  },
  {
    name: 'a job that is cancelled',
    work: () => new Promise(() => undefined),
    onRun: 'cancel',
    expected: { status: 'failure', failureType: 'cancelled' },
    runs: 1,
  },
  {
    name: 'a job whose config is not valid',
    work: () => 'done',
    config: { width: 'wide' },
    expected: { status: 'failure', failureType: 'invalid' },
    runs: 0,
  },
  {
    name: 'a job that is interrupted by a stop',
    work: (_job, _context, { isFirst }) => (isFirst ? new Promise(() => undefined) : 'done'),
    onRun: 'stop',
    expected: done,
    runs: 2,
  },
];

/** What became of a job, and what it took. */
interface Life {
  /** Made of the store by the first service, while it had to do with the job. */
  readonly requests: number;
  readonly runs: number;
  readonly job: Stored;
  readonly filed: readonly object[];
  /** What is left over. */
  readonly pending: readonly string[];
  readonly cancelRequests: readonly string[];
}

/** Lets a job live: with a service that is cut off after so many requests, then with another one. */
async function live(ending: Ending, last?: Point): Promise<Life> {
  await using server = await OADAServer.start({ tokens: [{ token: TOKEN, user: 'users/sam' }] });
  const oada = server.client();
  await ensureLists(oada);
  const { config = {}, onRun, early } = ending;
  const begun = deferred();
  let runs = 0;
  const options = { timeout: ending.timeout ?? 10_000, config: SCHEMA, retries: ending.retries ?? NONE };
  const serve = (client: OADAClient, leaseTimeout: number): Service =>
    new Service({ name: NAME, oada: client, drainTimeout: 1, leaseTimeout }).on(
      'plough',
      options,
      (job, context) => {
        begun.resolve();
        return ending.work(job, context, { runs: ++runs, isFirst: client === breaking.client });
      },
    );
  const pending = async (): Promise<string[]> => keysOf(await read(oada, `${BASE}/jobs`));
  const cancelRequests = async (): Promise<string[]> =>
    onRun === 'cancel' ? Object.keys((await read(oada, `${BASE}/controls`)).cancel ?? {}) : [];

  const breaking = new BreakingClient(server.url, TOKEN);
  const first = serve(breaking.client, 60_000);
  const ends = [breaking.broken, first.events.next('job:filed')];
  if (onRun === 'stop') ends.push(begun.promise);
  if (early !== true) await first.start();
  const before = breaking.count;
  if (last !== undefined) breaking.breakAfter(last.count, last.lost);
  const jobId = await postJob(oada, jobOf('plough', config), KEY);
  if (early === true) await first.start().catch(toError);
  if (onRun === 'cancel') {
    await Promise.race([begun.promise, breaking.broken]);
    const data = { cancel: { [KEY]: { time: new Date().toISOString() } } };
    await oada.put({ path: `${BASE}/controls`, data, contentType: 'application/json' });
  }
  await Promise.race(ends);
  await first.stop();
  const requests = breaking.count - before;

  const second = serve(server.client(), 60);
  const settled =
    (await pending()).length > 0
      ? second.events.next('job:filed')
      : (await cancelRequests()).length > 0 &&
        second.events.next('store:requested', ({ method }) => method === 'delete');
  await second.start();
  await settled;
  await second.stop();
  await breaking.disconnect();
  const [job, filed] = [await read(oada, `/${jobId}`), await allFiled(oada)];
  return { requests, runs, job, filed, pending: await pending(), cancelRequests: await cancelRequests() };
}

function check(ending: Ending, { job, filed, pending, cancelRequests, runs }: Life, extra: 0 | 1): void {
  expect(job).toMatchObject(ending.expected);
  const { status, attempts = 0, takeovers = 0 } = job;
  expect(filed).toMatchObject([{ key: KEY, id: job._id, status }]);
  expect(pending).toEqual([]);
  expect(cancelRequests).toEqual([]);
  // What is cancelled before it began is not run at all.
  expect(runs).toBeGreaterThanOrEqual(ending.onRun === 'cancel' ? 0 : Math.min(1, ending.runs));
  expect(runs).toBeLessThanOrEqual(ending.runs + extra);
  expect(takeovers).toBeLessThanOrEqual(extra);
  expect(attempts).toBeLessThanOrEqual(ending.runs + extra);
}

describe('a service that is cut off after any one request, and another in its place, file a job once', () => {
  test.each(ENDINGS)(
    'as $name',
    async (ending) => {
      watchRejections();
      const whole = await live(ending);
      check(ending, whole, 0);
      expect(whole.runs).toBe(ending.runs);

      await cutOffEverywhere(whole.requests, async (point) => {
        const life = await live(ending, point);
        expect(life.requests).toBeGreaterThanOrEqual(point.count); // or else it was not cut off
        check(ending, life, 1);
      });
    },
    60_000,
  );
});
