import type { OADAClient } from '@oada/client';
import { Service } from '@oada/jobs';
import type { StoreAddress } from '@oada/jobs';

import { fill, filed, link, makeLists, NAME, putJobs, withClient } from './jobs.js';
import type { Wire } from './raw.js';

export interface Drained {
  /** Jobs per second. */
  readonly rate: number;
  /** By verb, each per job. */
  readonly requests: { readonly get: number; readonly put: number; readonly delete: number };
}

/** Has a service do jobs that are there already, with a work function that does nothing. */
export async function drain(
  oada: OADAClient | StoreAddress,
  total: number,
  { concurrency, prefix }: { concurrency: number; prefix: string },
): Promise<Drained> {
  await makeLists(oada);
  await withClient(oada, (client) => fill(client, total, prefix));
  await using service = new Service({ name: NAME, oada, concurrency });
  service.on('nothing', '10s', () => ({ done: true }));
  const requests = { get: 0, put: 0, delete: 0 };
  let counting = false;
  service.events.on('store:requested', ({ method }) => {
    if (counting && method in requests) requests[method as keyof typeof requests]++;
  });
  const done = filed(service, total);
  let started = 0;
  service.events.on('queue:started', () => {
    counting = true; // what the start itself takes is not part of a job
    started = performance.now();
  });
  await service.start();
  await done;
  const rate = (total / (performance.now() - started)) * 1000;
  const { get, put, delete: removed } = requests;
  return { rate, requests: { get: get / total, put: put / total, delete: removed / total } };
}

/** How many jobs share the write of a day-index. */
const SHARE = 5;

/**
 * The requests of a job's life sent one after another with nothing around them, at the same concurrency: as fast as jobs
 * could be done. The lists have to be there.
 *
 * @returns jobs per second
 */
export async function bare(
  wire: Wire,
  oada: OADAClient | StoreAddress,
  total: number,
  { concurrency, prefix }: { concurrency: number; prefix: string },
): Promise<number> {
  const base = `/bookmarks/services/${NAME}`;
  const keys = Array.from({ length: total }, (_, index) => `${prefix}${String(index).padStart(6, '0')}`);
  await withClient(oada, async (client) => {
    await putJobs(client, keys);
    await client.put({ path: `${base}/users`, data: {}, contentType: 'application/json' });
    await link(client, `${base}/instances`, keys); // a list that no service works off
  });
  const waiting = keys.values();
  let done: Record<string, object> = {};
  const one = async (key: string): Promise<void> => {
    const path = `/resources/${key}`;
    const etag = await wire.send('GET', path);
    const update = (status: string): object => ({
      [`${status}-${key}`]: { status, time: new Date().toISOString(), meta: 'Runner did it' },
    });
    const claim = { instance: 'resources/of-nobody-at-all', attempt: 1 };
    const begun = { status: 'running', claim, attempts: 1, updates: update('started') };
    const claimed = await wire.send('PUT', path, begun, etag);
    const ended = { status: 'success', result: { done: true }, updates: update('success') };
    await wire.send('PUT', path, ended, claimed);
    done[key] = { _id: `resources/${key}` };
    if (Object.keys(done).length === SHARE) {
      const links = done;
      done = {};
      await wire.send('PUT', `${base}/users`, links);
    }
    await wire.send('DELETE', `${base}/instances/${key}`);
  };
  const sender = async (): Promise<void> => {
    for (const key of waiting) await one(key);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, sender));
  return (total / (performance.now() - started)) * 1000;
}
