// One instance of a service that has one parent with many children:  instance.ts DOMAIN TOKEN RUNS LEASE CHILDREN
// What a run does is written to the file RUNS: when it begins, when a parent waits, and when what came of it is stored.
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { Service } from '@oada/jobs';

import type { Line } from '../chaos/names.js';
import { NAME } from '../setup.js';

/** How many children are spawned at once. */
const AT_ONCE = 20;

const [, , domain = '', token = '', runs = '', lease = '', children = ''] = process.argv;
const file = openSync(runs, 'a');

function record(what: Line['what'], key: string): void {
  writeSync(file, `${JSON.stringify({ what, key, at: Date.now(), pid: process.pid })}\n`);
}

const service = new Service({
  name: NAME,
  oada: { domain, token },
  concurrency: 1,
  leaseTimeout: Number(lease),
  maxAttempts: 1000, // no job is to blame here
});
service.on('parent', '10m', async (_job, { jobId, spawn, all }) => {
  record('started', jobId);
  for (let from = 0; from < Number(children); from += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => spawn('child', { n: from + index })));
  record('waits', jobId);
  return await all();
});
service.on<{ n: number }>('child', '10s', async ({ config }, { jobId }) => {
  record('started', jobId);
  await sleep(5); // what it takes to be killed at it
  return config.n * config.n;
});
service.events.on('job:succeeded', ({ jobId }) => {
  record('stored', jobId);
});

process.on('disconnect', () => process.exit());
process.on('message', () => {
  void service.stop().finally(() => process.exit());
});
await service.start();
process.send?.('started');
