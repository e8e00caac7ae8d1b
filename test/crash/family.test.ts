import { Service } from '@oada/jobs';
import type { WorkerContext } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import type { OADAClient } from '@oada/client';
import { describe, expect, test } from 'vitest';

import {
  allFiled,
  BASE,
  ensureLists,
  jobOf,
  JOB_TYPE,
  keysOf,
  NAME,
  putEntry,
  read,
  TOKEN,
  watchRejections,
} from '../setup.js';
import type { Stored } from '../setup.js';
import { BreakingClient } from './breaking-connection.js';
import { cutOffEverywhere } from './points.js';
import type { Point } from './points.js';

const PARENT = 'resources/parent';
const CHILDREN = 3;

interface Ending {
  readonly name: string;
  /** What the children of the parent do. */
  readonly children: 'count' | 'fail' | 'endless';
  /** The parent is asked to be cancelled when all children have begun, or the service is cut off. */
  readonly isCancelled?: boolean;
  /** What is to become of the parent, whatever happens. */
  readonly parent: Stored;
  /** And of each child that it has. */
  readonly child: Stored;
}

const ENDINGS: readonly Ending[] = [
  {
    name: 'a success with what all its children came to',
    children: 'count',
    parent: { status: 'success', result: [0, 10, 20], progress: { done: CHILDREN, total: CHILDREN } },
    child: { status: 'success' },
  },
  {
    name: 'a failure, as its children are',
    children: 'fail',
    parent: { status: 'failure', result: { message: 'no good' } },
    child: { status: 'failure' },
  },
  {
    name: 'cancelled, with its children',
    children: 'endless',
    isCancelled: true,
    parent: { status: 'failure', failureType: 'cancelled' },
    child: { status: 'failure', failureType: 'cancelled' },
  },
];

/** What became of a parent and its children, and what it took. */
interface Life {
  /** Made of the store by the first service, while it had to do with them. */
  readonly requests: number;
  readonly parent: Stored;
  readonly children: readonly Stored[];
  /** How often the work of each child was run. */
  readonly runs: ReadonlyMap<string, number>;
  readonly filed: readonly { readonly id: string; readonly status: string }[];
  /** What was told of the parent's progress, in order. */
  readonly progress: readonly number[];
}

/** Whoever runs them, the works are the same. */
class Farm {
  readonly #ending: Ending;
  readonly runs = new Map<string, number>();
  #onBegun: () => void = () => undefined;
  readonly allBegun = new Promise<void>((resolve) => {
    this.#onBegun = resolve;
  });

  constructor(ending: Ending) {
    this.#ending = ending;
  }

  serve(oada: OADAClient, leaseTimeout: number): Service {
    const service = new Service({ name: NAME, oada, drainTimeout: 1, leaseTimeout });
    const options = { timeout: 10_000, grace: 20 };
    return service
      .on('parent', options, async (_job, { spawn, all }) => {
        for (let n = 0; n < CHILDREN; n++) await spawn(this.#ending.children, { n });
        return await all();
      })
      .on<{ n: number }>('count', options, ({ config }, { jobId }) => {
        this.#begun(jobId);
        return config.n * 10;
      })
      .on('fail', options, (_job, { jobId }) => {
        this.#begun(jobId);
        throw new Error('no good');
      })
      .on('endless', options, (_job, context) => this.#endless(context));
  }

  #endless({ jobId, signal }: WorkerContext): Promise<never> {
    this.#begun(jobId);
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  }

  #begun(jobId: string): void {
    this.runs.set(jobId, (this.runs.get(jobId) ?? 0) + 1);
    if (this.runs.size === CHILDREN) this.#onBegun();
  }
}

/** Follows a list until there is nothing in it, and the parent's progress meanwhile. */
class Feed {
  readonly progress: number[] = [];
  readonly #pending = new Set<string>();
  #onEmpty: () => void = () => undefined;
  /** Resolves when there is nothing in the list after there was something. */
  readonly empty = new Promise<void>((resolve) => {
    this.#onEmpty = resolve;
  });

  async follow(oada: OADAClient): Promise<void> {
    const parent = await oada.watch({ path: `/${PARENT}`, type: 'tree' });
    const list = await oada.watch({ path: `${BASE}/jobs`, type: 'tree' });
    void this.#each(parent.changes, ({ body }) => {
      if (body.progress !== undefined) this.progress.push(Number(body.progress.done));
    });
    void this.#each(list.changes, ({ type, body }) => {
      for (const key of keysOf(body)) {
        if (type === 'delete') this.#pending.delete(key);
        else this.#pending.add(key);
      }
      if (this.#pending.size === 0) this.#onEmpty();
    });
  }

  async #each(changes: AsyncIterable<Stored>, apply: (change: Stored) => void): Promise<void> {
    for await (const all of changes) for (const change of all) if (change.path === '') apply(change);
  }
}

/** Lets a parent live: with a service that is cut off after so many requests, then with another one. */
async function live(ending: Ending, last?: Point): Promise<Life> {
  await using server = await OADAServer.start({ tokens: [{ token: TOKEN, user: 'users/sam' }] });
  const oada = server.client();
  await ensureLists(oada);
  await oada.put({ path: `/${PARENT}`, data: jobOf('parent'), contentType: JOB_TYPE });
  const feed = new Feed();
  await feed.follow(oada);
  const farm = new Farm(ending);
  const breaking = new BreakingClient(server.url, TOKEN);
  const first = farm.serve(breaking.client, 60_000);
  await first.start();
  const before = breaking.count;
  if (last !== undefined) breaking.breakAfter(last.count, last.lost);
  await putEntry(oada, 'parent', { _id: PARENT });
  if (ending.isCancelled === true) {
    await Promise.race([farm.allBegun, breaking.broken]);
    const data = { cancel: { parent: { time: new Date().toISOString() } } };
    await oada.put({ path: `${BASE}/controls`, data, contentType: 'application/json' });
  }
  await Promise.race([breaking.broken, feed.empty]);
  const requests = breaking.count - before;
  await first.stop();

  const second = farm.serve(server.client(), 60);
  await second.start();
  await feed.empty;
  await second.stop();
  await breaking.disconnect();
  const parent = await read(oada, `/${PARENT}`);
  const links = Object.values<Stored>(parent.children ?? {});
  const missing = { status: undefined };
  const children = await Promise.all(
    links.map(({ _id }) => read(oada, `/${String(_id)}`).catch((): Stored => missing)),
  );
  const filed = await allFiled(oada);
  return { requests, parent, children, runs: farm.runs, filed, progress: feed.progress };
}

function check(ending: Ending, life: Life, extra: 0 | 1): void {
  const { parent, children, filed, runs, progress } = life;
  expect(parent).toMatchObject(ending.parent);
  // The spawning of one may have been cut short: where the parent is not run again, that child is never begun.
  const begun = children.filter(({ status }) => ending.isCancelled !== true || status !== undefined);
  expect(children.length - begun.length).toBeLessThanOrEqual(extra);
  if (ending.isCancelled !== true) expect(begun).toHaveLength(CHILDREN);
  for (const child of begun) {
    expect(child).toMatchObject({ parent: { _id: PARENT }, ...ending.child });
    // The failure of one ends the others, perhaps before they began.
    if (ending.children === 'count') expect(runs.get(child._id)).toBeGreaterThanOrEqual(1);
  }
  for (const count of runs.values()) expect(count).toBeLessThanOrEqual(1 + extra);
  const all = [parent, ...begun].map(({ _id, status }): [string, string] => [_id, status]);
  expect(filed.map(({ id, status }) => [id, status]).toSorted()).toEqual(all.toSorted());
  expect(progress).toEqual(progress.toSorted((one, other) => one - other));
}

describe('a service that is cut off after any one request, and another in its place, file a parent and its children once', () => {
  test.each(ENDINGS)(
    'the parent as $name',
    async (ending) => {
      watchRejections();
      const whole = await live(ending);
      check(ending, whole, 0);
      expect(whole.children).toHaveLength(CHILDREN);

      let cut = 0;
      const total = await cutOffEverywhere(whole.requests, async (point) => {
        const life = await live(ending, point);
        if (life.requests >= point.count) cut++;
        check(ending, life, 1);
      });
      // How many requests there are depends on what is gathered: the last ones may not come.
      expect(cut).toBeGreaterThan(0.8 * total);
    },
    60_000,
  );
});
