// A service in a process of its own:  service-process.ts URL TOKEN CONCURRENCY WORK
// Says over the channel to its parent when it is loaded, when it has started, when its first job is begun, and each 100 jobs; ends with the
// channel. WORK is how long its work function takes, in ms.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { Service } from '@oada/jobs';

import { NAME } from './jobs.js';

export interface Told {
  readonly what: 'loaded' | 'started' | 'begun' | 'filed' | 'measured';
  /** So many jobs, of this instance alone. */
  readonly filed: number;
  /** Conditional writes that came too late. */
  readonly conflicts: number;
  readonly claims: number;
  readonly heapUsed: number;
}

const [, , domain = '', token = '', concurrency = '', work = ''] = process.argv;
const service = new Service({ name: NAME, oada: { domain, token }, concurrency: Number(concurrency) });
const counts = { filed: 0, conflicts: 0, claims: 0 };

function tell(what: Told['what']): void {
  process.send?.({ what, ...counts, heapUsed: process.memoryUsage().heapUsed } satisfies Told);
}

service.on('nothing', '10s', async () => {
  if (Number(work) > 0) await sleep(Number(work));
  return { done: true };
});
service.events.on('job:started', () => {
  if (++counts.claims === 1) tell('begun');
});
service.events.on('store:requested', ({ error }) => {
  if (error?.code === 'OADA_JOBS_STORE_CONFLICT') counts.conflicts++;
});
service.events.on('job:filed', () => {
  if (++counts.filed % 100 === 0) tell('filed');
});
process.on('message', () => {
  globalThis.gc?.();
  tell('measured');
});
tell('loaded');
await service.start();
tell('started');
await once(process, 'disconnect');
await service.stop();
