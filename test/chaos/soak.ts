// `npm run soak -- --jobs 20000 --first 1000 --every 3000`: see README.md. Needs node's --expose-gc.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { Service } from '@oada/jobs';

import { beginCensus, takeCensus } from './census.js';
import type { Census } from './census.js';
import { NAME, TOKEN } from './names.js';
import { end, ready, run } from './processes.js';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '20000' },
    /** After how many it is counted for the first time. */
    first: { type: 'string', default: '1000' },
    /** Milliseconds between two cuts of the connection. */
    every: { type: 'string', default: '3000' },
    /** How many cuts there are at least; it goes on until then. */
    cuts: { type: 'string', default: '10' },
    /** Milliseconds of rest before it is counted. */
    rest: { type: 'string', default: '6000' },
  },
});
const [jobs, first, every] = [Number(values.jobs), Number(values.first), Number(values.every)];
const [wantedCuts, rest] = [Number(values.cuts), Number(values.rest)];

/** How many jobs are pending at once, at most. */
const AHEAD = 200;
/** What may be more at the end than after the first jobs: caches of this or that size, and a timer that happens to run. */
const MORE_HEAP = 4 * 1024 * 1024;
const MORE_RESOURCES = 3;
const MORE_LISTENERS = 10;

beginCensus();
const folder = await mkdtemp(join(tmpdir(), 'jobs-soak-'));
const server = run('soak-server.ts', [folder]);
const service = new Service({
  name: NAME,
  oada: { domain: await ready(server), token: TOKEN },
  leaseTimeout: '1500ms',
});
service.on('quick', '5s', async (_job, { log }) => {
  await log.info('at it');
  return { done: true };
});
service.on('failing', '5s', () => {
  throw new Error('it failed');
});

let [cuts, filed, posted, begun, watched] = [0, 0, 0, 0, 0];
service.events.on('store:requested', ({ method, error }) => {
  if (method === 'watch' && error === undefined) watched++;
});
service.events.on('job:started', () => {
  begun++;
});
await service.start();

const began = performance.now();
let cutting = startCutting();
await fileUpTo(first);
clearInterval(cutting);
const before = await censusAtRest();
cutting = startCutting();
await fileUpTo(jobs);
while (cuts < wantedCuts) await sleep(every);
clearInterval(cutting);
const after = await censusAtRest();
const seconds = Math.round((performance.now() - began) / 1000);
await service.stop();
await end(server);
await rm(folder, { recursive: true, force: true });

const grown = {
  heap: after.heap - before.heap,
  resources: count(after) - count(before),
  listeners: after.listeners - before.listeners,
};
const hasGrown =
  grown.heap > MORE_HEAP || grown.resources > MORE_RESOURCES || grown.listeners > MORE_LISTENERS;
console.log(JSON.stringify({ jobs, filed, begun, cuts, watched, seconds, before, after, grown, hasGrown }));
process.exitCode = hasGrown || filed !== jobs ? 1 : 0;

function startCutting(): NodeJS.Timeout {
  return setInterval(() => {
    cuts++;
    server.send({ cut: true });
  }, every);
}

async function fileUpTo(total: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const more = (): void => {
      while (posted < total && posted - filed < AHEAD) {
        const batch = Math.min(AHEAD / 2, total - posted);
        server.send({ from: posted, count: batch });
        posted += batch;
      }
    };
    const onFiled = (): void => {
      filed++;
      if (filed === total) {
        service.events.off('job:filed', onFiled);
        resolve();
      } else more();
    };
    service.events.on('job:filed', onFiled);
    more();
  });
}

/** Counts when all is watched again after a cut, and the heartbeat, which stops when there are no jobs, has stopped. */
async function censusAtRest(): Promise<Census> {
  await sleep(rest);
  return await takeCensus();
}

function count({ resources }: Census): number {
  return Object.values(resources).reduce((sum, of) => sum + of, 0);
}
