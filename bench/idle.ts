import { setTimeout as sleep } from 'node:timers/promises';

import { Service } from '@oada/jobs';
import { connect } from '@oada/client';

import { makeLists, NAME } from './jobs.js';
import { startStore, TOKEN } from './store.js';

export interface Idle {
  /** Of one core, while nothing is to be done. */
  readonly cpu: number;
  readonly requestsPerMinute: number;
}

/** What a service costs that watches so many queues in which nothing happens. */
export async function idle(path: string, queues: number, seconds: number): Promise<Idle> {
  const tokens = Array.from({ length: queues }, (_, index) => `queue-${String(index)}`);
  await using store = await startStore(path, tokens);
  const address = { domain: store.url, token: TOKEN };
  await makeLists(address);
  const client = await connect({ ...address, connection: 'ws' });
  const entries = tokens.map((token) => [token, { domain: store.url, token }]);
  await client.put({
    path: `/bookmarks/services/${NAME}/queues`,
    data: Object.fromEntries(entries) as Record<string, object>,
    contentType: 'application/json',
  });
  await client.disconnect();
  await using service = new Service({ name: NAME, oada: address });
  let started = 0;
  let requests = 0;
  const all = new Promise<void>((resolve) => {
    service.events.on('queue:started', () => {
      if (++started === queues + 1) resolve();
    });
  });
  service.events.on('store:requested', () => {
    requests++;
  });
  await service.start();
  await all;
  await sleep(2000); // what the start leaves behind
  requests = 0;
  const before = process.cpuUsage();
  const from = performance.now();
  await sleep(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const milliseconds = performance.now() - from;
  return {
    cpu: (user + system) / 1000 / milliseconds,
    requestsPerMinute: (requests / milliseconds) * 60_000,
  };
}
