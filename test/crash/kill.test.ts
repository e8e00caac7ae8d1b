import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { Service } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { expect, test } from 'vitest';

import {
  allFiled,
  BASE,
  ensureLists,
  jobOf,
  keysOf,
  NAME,
  postJob,
  read,
  startServer,
  TOKEN,
} from '../setup.js';
import type { Point } from './victim.js';
import { register } from './work.js';

const VICTIM = fileURLToPath(new URL('victim.ts', import.meta.url));
const KEY = 'mine';
/** More than there are in a job's life, so that all of them are reached. */
const REQUESTS = 50;

const ENDINGS = [
  { name: 'a success', type: 'plough', expected: { status: 'success', result: 'done' } },
  { name: 'a failure', type: 'break', expected: { status: 'failure', result: { message: 'broken' } } },
  { name: 'a timeout', type: 'sleep', expected: { status: 'failure', failureType: 'timeout' } },
  { name: 'a success after a retry', type: 'sow', expected: { status: 'success', result: 'done' } },
];

interface Place extends Point {
  readonly server: OADAServer;
}

async function makePlaces(): Promise<Place[]> {
  const places: Place[] = [];
  for (let count = 1; count <= REQUESTS; count++) {
    for (const lost of ['answer', 'request'] as const) {
      const server = await startServer();
      await ensureLists(server.client());
      places.push({ server, domain: server.url, count, lost });
    }
  }
  return places;
}

test.each(ENDINGS)(
  'whichever request a service is killed at, another files its job once, as $name',
  async ({ type, expected }) => {
    const places = await makePlaces();
    const points = JSON.stringify(places.map(({ domain, count, lost }) => ({ domain, count, lost })));
    const victim = fork(VICTIM, [TOKEN, points], { execArgv: ['--import', 'tsx'] });
    const exit = once(victim, 'exit');
    await once(victim, 'message');
    const told = once(victim, 'message');
    const jobIds = new Map<Place, string>();
    for (const place of places) {
      jobIds.set(place, await postJob(place.server.client(), jobOf(type), KEY));
    }
    const [reached] = (await told) as [readonly boolean[]];
    expect(await exit).toEqual([null, 'SIGKILL']);
    // All come to the first request, and none comes to what is after the last one.
    expect(reached.slice(0, 2)).toEqual([true, true]);
    expect(reached.slice(-2)).toEqual([false, false]);

    const finish = async (place: Place): Promise<void> => {
      const oada = place.server.client();
      await using second = new Service({ name: NAME, oada: place.server.client(), leaseTimeout: 200 });
      register(second);
      const filed = second.events.next('job:filed');
      const isPending = keysOf(await read(oada, `${BASE}/jobs`)).length > 0;
      await second.start();
      if (isPending) await filed;

      const job = await read(oada, `/${jobIds.get(place)!}`);
      const where = `with the ${place.lost} of request ${place.count} lost`;
      expect(job, where).toMatchObject(expected);
      expect(job.attempts, where).toBeLessThanOrEqual(3);
      expect(job.takeovers ?? 0, where).toBeLessThanOrEqual(1);
      expect(await allFiled(oada), where).toMatchObject([{ key: KEY, id: job._id, status: job.status }]);
      expect(keysOf(await read(oada, `${BASE}/jobs`)), where).toEqual([]);
    };
    await Promise.all(places.map(finish));
  },
);
