import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { OADAClient } from '@oada/client';
import type { OADAServer } from '@oada/jobs/server';
import { expect, onTestFinished, test } from 'vitest';

import type { Interruption } from '../chaos/chaos.js';
import { readLines } from '../chaos/lines.js';
import type { Line } from '../chaos/names.js';
import { randomFrom } from '../random.js';
import { end, ready, run } from '../chaos/processes.js';
import { inProgress } from '../chaos/verdict.js';
import {
  allFiled,
  BASE,
  deferred,
  ensureLists,
  jobOf,
  JOB_TYPE,
  keysOf,
  putEntry,
  read,
  startServer,
  TOKEN,
} from '../setup.js';
import type { Stored } from '../setup.js';

const SEED = 11;
const CHILDREN = 1000;
const INSTANCES = 3;
const LEASE_MS = 600;
const PARENT = 'resources/parent';

/** An instance is killed as soon as so many children are listed, or filed. */
interface PlannedKill {
  readonly after: 'listed' | 'filed';
  readonly count: number;
  /** The one that has the parent, while it still spawns or while it waits; or one that has not. */
  readonly who: 'spawning' | 'waiting' | 'other';
}

/** The same seed makes the same plan. */
function makePlan(seed: number): PlannedKill[] {
  const random = randomFrom(seed);
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  const kinds = ['waiting', 'other', 'waiting', 'other', 'waiting'] as const;
  const later = kinds.map((who, index): PlannedKill => {
    const from = 100 + 100 * index;
    return { after: 'filed', count: between(from, from + 100), who };
  });
  return [{ after: 'listed', count: between(50, 900), who: 'spawning' }, ...later];
}

/** What the store tells of the parent and of the pending list. */
class Feed {
  readonly listed = new Set<string>();
  readonly pending = new Set<string>();
  /** All that was ever told of the parent's progress. */
  readonly progress: Stored[] = [];
  isOver = false;
  #next = deferred();

  async follow(oada: OADAClient): Promise<void> {
    const list = await oada.watch({ path: `${BASE}/jobs`, type: 'tree' });
    const parent = await oada.watch({ path: `/${PARENT}`, type: 'tree' });
    void this.#each(list.changes, ({ type, body }) => {
      for (const key of keysOf(body)) {
        if (type === 'delete') this.pending.delete(key);
        else this.pending.add(key);
        this.listed.add(key);
      }
    });
    void this.#each(parent.changes, ({ body }) => {
      if (body.progress !== undefined) this.progress.push(body.progress);
      if (body.status === 'success' || body.status === 'failure') this.isOver = true;
    });
  }

  get counts(): { listed: number; filed: number } {
    return { listed: this.listed.size - 1, filed: this.listed.size - this.pending.size }; // one of them is the parent
  }

  /** Resolves when it is so; looked at whenever something is told. */
  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      const told = this.#next.promise;
      if (await isSo()) return;
      await told;
    }
  }

  async #each(changes: AsyncIterable<Stored>, apply: (change: Stored) => void): Promise<void> {
    for await (const all of changes) {
      for (const change of all) if (change.path === '') apply(change);
      this.#next.resolve();
      this.#next = deferred();
    }
  }
}

/** The processes of a service, which are killed and started again. */
class Instances {
  readonly kills: Interruption[] = [];
  readonly #processes = new Map<string, ChildProcess>();
  readonly #args: readonly [domain: string, token: string];

  constructor(server: OADAServer, folder: string) {
    this.#args = [server.url, TOKEN];
    for (let number = 0; number < INSTANCES; number++) this.#start(join(folder, `runs-${String(number)}`));
  }

  #start(runs: string): void {
    const args = [...this.#args, runs, String(LEASE_MS), String(CHILDREN)];
    this.#processes.set(runs, run('../family/instance.ts', args));
  }

  async ready(): Promise<void> {
    await Promise.all([...this.#processes.values()].map(ready));
  }

  async lines(): Promise<Line[]> {
    return await readLines([...this.#processes.keys()]);
  }

  /** @returns false where there is none such at the moment */
  async kill(who: PlannedKill['who']): Promise<boolean> {
    const lines = await this.lines();
    for (const [runs, process] of this.#processes) {
      const own = lines.filter(({ pid }) => pid === process.pid);
      const last = own.findLast(({ key }) => key === PARENT)?.what;
      const is = last === 'waits' ? 'waiting' : last === 'started' ? 'spawning' : 'other';
      if (is !== who || own.at(-1)?.what === 'stored' || own.length === 0) continue; // it has nothing to lose
      const from = Date.now();
      await end(process);
      this.kills.push({ kind: 'kill', pid: process.pid, from, to: Date.now() });
      this.#start(runs);
      return true;
    }
    return false;
  }

  async end(how: 'SIGKILL' | 'stop'): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => end(process, how)));
  }
}

test(`a parent of ${String(CHILDREN)} children comes to its end once, though its instances are killed`, async () => {
  const server = await startServer();
  const oada = server.client();
  const folder = await mkdtemp(join(tmpdir(), 'jobs-family-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await ensureLists(oada);
  const instances = new Instances(server, folder);
  onTestFinished(() => instances.end('SIGKILL'));
  await instances.ready();
  const feed = new Feed();
  await oada.put({ path: `/${PARENT}`, data: jobOf('parent'), contentType: JOB_TYPE });
  await feed.follow(oada);
  await putEntry(oada, 'parent', { _id: PARENT });

  const plan = makePlan(SEED);
  for (const { after, count, who } of plan)
    await feed.until(() => feed.counts[after] >= count && instances.kill(who));
  expect(feed.isOver).toBe(false);
  await feed.until(() => feed.isOver && feed.pending.size === 0);
  await instances.end('stop');

  const parent: Stored = await read(oada, `/${PARENT}`);
  expect(parent.status).toBe('success');
  expect(parent.result).toEqual(Array.from({ length: CHILDREN }, (_, n) => n * n));
  expect(parent.takeovers).toBe(plan.filter(({ who }) => who !== 'other').length);
  // Each child is one resource, and stands in one list, once: nothing else was ever listed or filed.
  const ids = new Set(keysOf(parent.children).map((name) => String(parent.children[name]._id)));
  const filed = await allFiled(oada);
  expect(ids.size).toBe(CHILDREN);
  expect(filed).toHaveLength(CHILDREN + 1);
  expect(new Set(filed.map(({ id }) => id))).toEqual(new Set([...ids, PARENT]));
  expect(filed.every(({ status }) => status === 'success')).toBe(true);
  expect(feed.listed.size).toBe(CHILDREN + 1);
  // What was run again was killed.
  const runs = await instances.lines();
  const lost = instances.kills.flatMap((kill) => inProgress(runs, kill)).filter((id) => id !== PARENT);
  const started = runs.filter(({ what, key }) => what === 'started' && key !== PARENT);
  expect(new Set(started.map(({ key }) => key))).toEqual(ids);
  expect(lost.length).toBeLessThanOrEqual(instances.kills.length); // one slot each
  expect(started.length).toBeLessThanOrEqual(CHILDREN + lost.length);
  const done = feed.progress.map((progress) => Number(progress.done));
  expect(done).toEqual(done.toSorted((one, other) => one - other));
  expect(feed.progress.at(-1)).toEqual({ done: CHILDREN, total: CHILDREN });
}, 180_000);

test('the same seed makes the same plan', () => {
  expect(makePlan(SEED)).toEqual(makePlan(SEED));
  expect(makePlan(SEED)).not.toEqual(makePlan(SEED + 1));
});
