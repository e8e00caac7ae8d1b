import { submit } from '@oada/jobs';
import type { Service } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, it } from 'vitest';

import {
  BASE,
  jobOf,
  makeService,
  NAME,
  postJob,
  postResource,
  putEntry,
  read,
  startServer,
  TOKEN,
} from '../setup.js';
import type { Stored } from '../setup.js';
import { textOf } from './documents.js';

const text = textOf('docs/reference/records.md');

/** The keys that a section has rows for: a row may be about more than one. */
function documented(heading: string): string[] {
  const [, rest = ''] = text.split(`\n${heading}\n`);
  const [section = ''] = rest.split(/^#{1,3} /m);
  const cells = [...section.matchAll(/^\| (`\w+`(?:, `\w+`)*) +\|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, key = '']) => key)).toSorted();
}

/** Those of some records together, but for what every resource has. */
function keysOf(...records: Stored[]): string[] {
  const keys = new Set(records.flatMap((record) => Object.keys(record as object)));
  return [...keys].filter((key) => !key.startsWith('_')).toSorted();
}

async function withWorkers(server: OADAServer): Promise<Service> {
  const service = makeService(server);
  service.on('child', '10s', () => 'done');
  service.on('parent', '10s', async (_job, { spawn, all, progress }) => {
    progress(1, 2, 'spawning');
    await spawn('child');
    return await all();
  });
  let runs = 0;
  service.on('second-try', { timeout: '10s', retries: { limit: 1, backoff: 1 } }, () => {
    if (++runs === 1) throw new Error('not yet');
  });
  service.on('fail', '10s', () => {
    throw new Error('no');
  });
  return service;
}

describe('the records', () => {
  it('of jobs have the keys that are documented, and no others', async () => {
    const server = await startServer();
    const oada = server.client(TOKEN);
    const service = await withWorkers(server);
    await service.start();
    const jobs: Stored[] = [];
    const filed = async (key: string): Promise<Stored> => {
      const { jobId } = await service.events.next('job:filed', (event) => event.key === key);
      return await read(oada, `/${jobId}`);
    };
    const about = await postResource(oada, {}, 'application/json');
    const parent = submit(oada, {
      ...{ service: NAME, type: 'parent', priority: 1, owner: 'users/ann', resources: [about] },
      startAfter: new Date(),
    });
    const child = service.events.next('job:filed', ({ type }) => type === 'child');
    jobs.push(await filed((await parent).key), await read(oada, `/${(await child).jobId}`));
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const [key, job] of Object.entries({
      again: jobOf('second-try'),
      unheardOf: { ...jobOf('unheard-of'), trace: { traceparent } },
    })) {
      const over = filed(key);
      await postJob(oada, job, key);
      jobs.push(await over);
    }
    const over = filed('inline');
    await putEntry(oada, 'inline', { type: 'no link' });
    jobs.push(await over);

    expect(keysOf(...jobs)).toEqual(documented('## A job'));
    expect(await read(oada, `/${about}/_meta/services/${NAME}/jobs/${(await parent).key}`)).toMatchObject({
      _id: (await parent)._id,
    });
    expect(keysOf(await read(oada, `${BASE}/users/ann/jobs`))).toContain((await parent).key);
  });

  it('of instances and controls have the keys that are documented, and no others', async () => {
    const server = await startServer();
    const oada = server.client(TOKEN);
    const service = await withWorkers(server);
    await service.start();
    const [instance = ''] = keysOf(await read(oada, `${BASE}/instances`));
    expect(keysOf(await read(oada, `/resources/${instance}`))).toEqual(documented('## A heartbeat'));

    await service.pause();
    await service.cancel('nobody');
    await service.schedules.hold();
    await service.schedules.release('reschedule');
    await service.schedules.pauseType('fail');
    const controls = await read(oada, `${BASE}/controls`);
    expect(keysOf(controls)).toEqual(documented('## The controls'));
    const [, told = ''] = /^\| `schedules` \| (.*?) +\|/m.exec(text.replaceAll(/ +\|/g, ' |')) ?? [];
    for (const key of keysOf(controls.schedules)) expect(told).toContain(`\`${key}\``);
  });

  it('of schedules have the keys that are documented, and no others', async () => {
    const server = await startServer();
    const oada = server.client(TOKEN);
    const declare = (service: Service): Service => {
      service.on('slow', '1m', async (_job, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      });
      service.schedule('slow', { type: 'slow', every: '1s', overlap: 'skip' });
      service.schedule('first', { type: 'fail', manual: true, then: { run: ['second'], on: 'always' } });
      service.schedule('second', { type: 'unheard-of', manual: true });
      const shouldRun = (): boolean => {
        throw new Error('it always throws');
      };
      service.schedule('throwing', { type: 'fail', manual: true, shouldRun });
      return service;
    };
    const service = declare(await withWorkers(server));
    const skipped = service.events.next('schedule:skipped', ({ schedule }) => schedule === 'slow');
    const second = service.events.next('schedule:ended', ({ schedule }) => schedule === 'second');
    await service.start();
    const { schedules } = service;
    await schedules.run('first');
    await second;
    const held = service.events.next('schedule:held');
    for (let run = 0; run < 5; run++) {
      const ended = service.events.next('schedule:ended', ({ schedule }) => schedule === 'throwing');
      await schedules.run('throwing');
      await ended;
    }
    await held;
    await skipped;
    await schedules.override('second', { every: '1h' });
    await schedules.disable('second');
    await service.stop();
    const other = makeService(server);
    other.schedule('fresh', { type: 'slow', manual: true });
    await other.start(); // retires those that it does not declare
    const rows: Stored[] = [];
    for (const name of ['slow', 'first', 'second', 'throwing'])
      rows.push(await read(oada, `${BASE}/schedules/${name}`));

    expect(keysOf(...rows)).toEqual(documented('## The row of a schedule'));
    const entries: Stored[] = [];
    for (const { history } of rows)
      for (const { _id } of Object.values(history as Record<string, Stored>)) {
        const month = await read(oada, `/${_id}`);
        entries.push(...keysOf(month).map((key) => month[key]));
      }
    expect(keysOf(...entries)).toEqual(documented('### The history'));
  });
});
