import { Service } from '@oada/jobs';
import type { StoreAddress } from '@oada/jobs';
import { connect } from '@oada/client';
import type { OADAClient } from '@oada/client';

export const NAME = 'bench';
const TYPE = 'application/vnd.oada.service.job.1+json';
/** How many links are put with one request. */
const LINKS_AT_ONCE = 5000;

/** Has something done with a client, to a store or given. */
export async function withClient<T>(
  oada: OADAClient | StoreAddress,
  work: (client: OADAClient) => Promise<T>,
): Promise<T> {
  if ('getToken' in oada) return await work(oada);
  const client = await connect({ ...oada, connection: 'ws', concurrency: 50 });
  try {
    return await work(client);
  } finally {
    await client.disconnect();
  }
}

/** Makes the lists, as a service does. */
export async function makeLists(oada: OADAClient | StoreAddress): Promise<void> {
  await using setup = new Service({ name: NAME, oada });
  await setup.start();
}

/** Puts jobs into the pending list, which has to be there; resolves with their keys. */
export async function fill(client: OADAClient, total: number, prefix = 'job'): Promise<string[]> {
  const keys = Array.from({ length: total }, (_, index) => `${prefix}${String(index).padStart(6, '0')}`);
  await putJobs(client, keys);
  await link(client, `/bookmarks/services/${NAME}/jobs`, keys);
  return keys;
}

/** Puts the documents alone. */
export async function putJobs(client: OADAClient, keys: readonly string[]): Promise<void> {
  const waiting = keys.values();
  const sender = async (): Promise<void> => {
    for (const key of waiting) {
      const data = { service: NAME, type: 'nothing', config: { key } };
      await client.put({ path: `/resources/${key}`, data, contentType: TYPE });
    }
  };
  await Promise.all(Array.from({ length: 50 }, sender));
}

export async function link(client: OADAClient, list: string, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += LINKS_AT_ONCE) {
    const some = keys.slice(from, from + LINKS_AT_ONCE);
    const data = Object.fromEntries(some.map((key) => [key, { _id: `resources/${key}` }]));
    await client.put({ path: list, data, contentType: 'application/json' });
  }
}

/** Resolves when a service has filed so many jobs. */
export function filed(service: Service, total: number): Promise<void> {
  let seen = 0;
  return new Promise((resolve) => {
    service.events.on('job:filed', () => {
      if (++seen === total) resolve();
    });
  });
}
