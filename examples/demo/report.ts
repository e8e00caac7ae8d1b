import type { OADAClient } from '@oada/client';
import type { JsonObject } from '@oada/jobs';
import { SingleBar } from 'cli-progress';
import Table from 'cli-table3';

type Queue = 'north' | 'south';
type Status = 'success' | 'failure';

export interface PlannedJob {
  readonly queue: Queue;
  readonly type: string;
  readonly config: JsonObject;
  /** How it has to end. */
  readonly expected: Status;
}

/** So many jobs of all kinds, by turns on both queues. */
export function plan(count: number): PlannedJob[] {
  return Array.from({ length: count }, (_, index): PlannedJob => {
    const queue = index % 2 === 0 ? 'north' : 'south';
    if (index % 20 === 7) return { queue, type: 'weigh', config: { scale: index }, expected: 'failure' };
    if (index % 20 === 12) return { queue, type: 'wait', config: {}, expected: 'failure' };
    if (index % 50 === 31)
      return {
        queue,
        type: 'unheard-of',
        config: { note: 'no worker knows this type' },
        expected: 'failure',
      };
    if (index % 5 === 0)
      return { queue, type: 'survey', config: { fields: ['A', 'B', 'C'] }, expected: 'success' };
    return { queue, type: 'greet', config: { name: `farmer ${String(index)}` }, expected: 'success' };
  });
}

const LONGEST_WAIT_MS = 60_000;

/** Keeps count while the jobs are done, and tells of it. */
export class Report {
  readonly jobs: readonly PlannedJob[];
  readonly #ids = new Map<string, PlannedJob>();
  readonly #filed = new Map<string, Status[]>();
  readonly #started = performance.now();
  readonly #bar: SingleBar | undefined;
  #count = 0;
  #done: () => void = () => undefined;
  readonly #all = new Promise<void>((resolve) => {
    this.#done = resolve;
  });

  constructor(jobs: readonly PlannedJob[]) {
    this.jobs = jobs;
    if (process.stdout.isTTY) {
      this.#bar = new SingleBar({ format: ' {bar} {value} of {total} jobs filed', hideCursor: true });
      this.#bar.start(jobs.length, 0);
    }
  }

  posted(job: PlannedJob, jobId: string): void {
    this.#ids.set(jobId, job);
  }

  filed(jobId: string, status: Status): void {
    this.#filed.set(jobId, [...(this.#filed.get(jobId) ?? []), status]);
    this.#count++;
    this.#bar?.update(this.#count);
    if (this.#bar === undefined && this.#count % 50 === 0) {
      console.log(`${String(this.#count)} of ${String(this.jobs.length)} jobs filed`);
    }
    if (this.#count === this.jobs.length) this.#done();
  }

  /** Waits until each job is filed, but not for ever. */
  async allFiled(): Promise<void> {
    const limit = new Promise<void>((resolve) => {
      setTimeout(resolve, LONGEST_WAIT_MS).unref();
    });
    await Promise.race([this.#all, limit]);
    this.#bar?.stop();
    if (this.#count < this.jobs.length) {
      console.log(`Only ${String(this.#count)} of ${String(this.jobs.length)} jobs were filed.`);
      return;
    }
    console.log(`All filed after ${((performance.now() - this.#started) / 1000).toFixed(1)} s.\n`);
  }

  /** Compares what stands in the store with what was planned; true when it is the same. */
  async print(clients: Readonly<Record<Queue, OADAClient>>, service: string): Promise<boolean> {
    const head = ['queue', 'job type', 'jobs', 'jobs-success', 'jobs-failure', ''];
    const table = new Table({ head, style: { head: [], border: [] } });
    let right = true;
    for (const queue of ['north', 'south'] as const) {
      const base = `/bookmarks/services/${service}`;
      const filed = {
        success: await keysOfDays(clients[queue], `${base}/jobs-success/day-index`),
        failure: await keysOfDays(clients[queue], `${base}/jobs-failure/day-index`),
      };
      const pending = await keysOf(clients[queue], `${base}/jobs`);
      right &&= pending.length === 0;
      for (const type of new Set(this.jobs.map((job) => job.type))) {
        const ids = [...this.#ids].filter(([, job]) => job.queue === queue && job.type === type);
        const inSuccess = ids.filter(([id]) => filed.success.includes(keyOf(id)));
        const inFailure = ids.filter(([id]) => filed.failure.includes(keyOf(id)));
        const asPlanned = ids.every(([id, job]) => {
          const other = job.expected === 'success' ? 'failure' : 'success';
          return filed[job.expected].includes(keyOf(id)) && !filed[other].includes(keyOf(id));
        });
        right &&= asPlanned;
        if (ids.length === 0) continue;
        const counts = [ids.length, inSuccess.length, inFailure.length];
        table.push([queue, type, ...counts, asPlanned ? 'as expected' : 'NOT as expected']);
      }
    }
    console.log(table.toString());
    await this.#printOne(clients);
    console.log(right ? '\nEvery job was filed as expected.' : '\nNot every job was filed as expected.');
    return right;
  }

  async #printOne(clients: Readonly<Record<Queue, OADAClient>>): Promise<void> {
    const [example] = [...this.#ids].filter(([, { type }]) => type === 'survey');
    if (example === undefined) return;
    const [id, { queue }] = example;
    const { data } = await clients[queue].get({ path: `/${id}` });
    console.log(`\nOne of them, as it stands in the store (${id}):`);
    console.log(JSON.stringify(data, undefined, 2));
  }
}

function keyOf(id: string): string {
  return id.replace('resources/', '');
}

async function keysOf(client: OADAClient, path: string): Promise<string[]> {
  const { data } = await client.get({ path });
  return Object.keys(data ?? {}).filter((key) => !key.startsWith('_'));
}

async function keysOfDays(client: OADAClient, path: string): Promise<string[]> {
  const keys: string[] = [];
  for (const day of await keysOf(client, path)) keys.push(...(await keysOf(client, `${path}/${day}`)));
  return keys;
}
