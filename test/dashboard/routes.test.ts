import { submit } from '@oada/jobs';
import type { Service } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, test } from 'vitest';

import { countTo, makeService, NAME, OTHER_TOKEN, startServer, TOKEN } from '../setup.js';
import { AT, signIn, start } from './setup.js';
import type { Browser } from './setup.js';

interface Scene {
  readonly server: OADAServer;
  readonly service: Service;
  readonly browser: Browser;
}

/** A service that runs `good` and `bad` jobs, and keeps `long` ones until they are cancelled. */
async function scene(): Promise<Scene> {
  const server = await startServer();
  const service = makeService(server);
  service.on('good', '5s', async (job) => ({ did: job.config }));
  service.on('bad', '5s', async () => {
    throw new Error('the barn is closed');
  });
  service.on('long', '60s', (_job, { signal }) => {
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  });
  await service.start();
  const dashboard = await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] });
  return { server, service, browser: await signIn(dashboard) };
}

async function run({ server, service }: Scene, ...types: string[]): Promise<string[]> {
  const filed = countTo(service, 'job:filed', types.length);
  const jobs: string[] = [];
  for (const type of types)
    jobs.push((await submit(server.client(TOKEN), { service: NAME, type, config: { field: type } }))._id);
  await filed;
  return jobs;
}

test('stores are told of with their services, and one that is away with its problem', async () => {
  const server = await startServer();
  await makeService(server).start();
  const stores = [
    { name: 'a store', domain: server.url, token: TOKEN },
    { name: "kim's", domain: server.url, token: OTHER_TOKEN },
    { name: 'away', domain: 'http://127.0.0.1:9', token: 'away-s3cret' },
    { name: 'wrong', domain: server.url, token: 'wrong-s3cret' },
  ];
  const { get } = await signIn(await start({ stores }));
  const { json } = await get('api/stores');
  expect(json).toMatchObject([
    { store: 'a store', domain: server.url, services: [NAME] },
    { store: "kim's", services: [] },
    { store: 'away', services: [], problem: { code: 'OADA_JOBS_STORE_UNREACHABLE' } },
    { store: 'wrong', services: [], problem: { code: 'OADA_JOBS_STORE_UNAUTHORIZED' } },
  ]);
  expect(json[0]).not.toHaveProperty('problem');
  expect((await get(`api/a%20store/${NAME}`)).status).toBe(200);
  expect((await get(`api/kim's/${NAME}`)).status).toBe(404);
  expect((await get(`api/away/${NAME}`)).status).toBe(502);
});

describe('jobs', () => {
  test('are counted, listed and shown', async () => {
    const all = await scene();
    const { get } = all.browser;
    const [good = '', bad = ''] = await run(all, 'good', 'bad');
    const { json: counts } = await get(AT);
    expect(counts).toMatchObject({ pending: 0, paused: false, days: [{ success: 1, failure: 1 }] });
    expect(counts.instances).toEqual({ alive: 1, silent: 0 });
    const { json: failures } = await get(`${AT}/jobs?list=failure&type=bad&text=BARN`);
    expect(failures.jobs).toMatchObject([
      { id: bad, state: 'failure', error: { message: 'the barn is closed' } },
    ]);
    const { json: none } = await get(`${AT}/jobs?list=failure&type=good`);
    expect(none.jobs).toEqual([]);
    const { json: page } = await get(`${AT}/jobs?list=success&limit=1&day=${counts.days[0].day}`);
    expect(page.jobs).toMatchObject([{ id: good }]);
    for (const name of [good, encodeURIComponent(good), good.slice('resources/'.length)]) {
      const { json } = await get(`${AT}/job/${name}`);
      expect(json).toMatchObject({ id: good, config: { field: 'good' }, result: { did: { field: 'good' } } });
      expect(json.updates.map(({ status }: { status: string }) => status)).toEqual(['started', 'success']);
      expect(json.childSummaries).toEqual([]);
    }
  });

  test('are retried, and the failure then tells by which', async () => {
    const all = await scene();
    const { get, send } = all.browser;
    const [good = '', bad = ''] = await run(all, 'good', 'bad');
    const filed = countTo(all.service, 'job:filed', 1);
    const { json } = await send('POST', `${AT}/jobs`, {
      action: 'retry',
      ids: [bad, good, 'resources/none'],
    });
    expect(json).toMatchObject({ done: 1, problems: [{ id: good }, { id: 'resources/none' }] });
    await filed;
    const [retry] = json.jobs;
    expect((await get(`${AT}/job/${bad}`)).json.retriedBy).toBe(retry);
    const again = await send('POST', `${AT}/jobs`, { action: 'retry', ids: [bad] });
    expect(again.json).toMatchObject({ done: 0, before: 1, jobs: [retry] });
    const { json: filtered } = await send('POST', `${AT}/jobs`, { action: 'retry', filter: { type: 'bad' } });
    expect(filtered.jobs).toContain(retry);
    expect(filtered).toMatchObject({ done: 1, before: 1 }); // the retry has failed as well
  });

  test('are run again and deleted when they are over, and not before', async () => {
    const all = await scene();
    const { get, send } = all.browser;
    const [good = ''] = await run(all, 'good');
    const filed = countTo(all.service, 'job:filed', 1);
    const { json: rerun } = await send('POST', `${AT}/jobs`, { action: 'rerun', ids: [good] });
    expect(rerun.jobs).not.toEqual([good]);
    await filed;
    expect((await send('POST', `${AT}/jobs`, { action: 'delete', ids: [good] })).json.done).toBe(1);
    expect((await get(`${AT}/job/${good}`)).status).toBe(404);
    expect((await get(AT)).json.days).toMatchObject([{ success: 1 }]);
    const cancel = await send('POST', `${AT}/jobs`, { action: 'cancel', ids: rerun.jobs });
    expect(cancel.json).toMatchObject({ done: 0, problems: [{ code: 'OADA_JOBS_CONFIG' }] });
  });

  test('are cancelled while they run', async () => {
    const all = await scene();
    const { get, send } = all.browser;
    const started = all.service.events.next('job:started');
    const { _id } = await submit(all.server.client(TOKEN), { service: NAME, type: 'long' });
    await started;
    const { json: running } = await get(`${AT}/jobs?list=running`);
    expect(running.jobs).toMatchObject([{ id: _id, state: 'running' }]);
    const filed = all.service.events.next('job:filed');
    expect((await send('POST', `${AT}/jobs`, { action: 'cancel', ids: [_id] })).json.done).toBe(1);
    await filed;
    expect((await get(`${AT}/job/${_id}`)).json.error.type).toBe('cancelled');
  });

  test('show their children', async () => {
    const { service, server, browser } = await scene();
    service.on('parent', '10s', async (_job, { spawn, all }) => {
      await spawn('good', { field: 'north' }, { name: 'north' });
      await all();
    });
    const filed = countTo(service, 'job:filed', 2);
    const { _id } = await submit(server.client(TOKEN), { service: NAME, type: 'parent' });
    await filed;
    const { json } = await browser.get(`${AT}/job/${_id}`);
    expect(json.childSummaries).toMatchObject([{ name: 'north', type: 'good', state: 'success' }]);
  });
});

test('a service is paused and goes on', async () => {
  const all = await scene();
  const { get, send } = all.browser;
  const paused = all.service.events.next('queue:paused');
  expect((await send('POST', `${AT}/paused`, { paused: true })).status).toBe(204);
  await paused;
  expect((await get(AT)).json.paused).toBe(true);
  const resumed = all.service.events.next('queue:resumed');
  expect((await send('POST', `${AT}/paused`, { paused: false })).status).toBe(204);
  await resumed;
});

test('queues are added, looked at and removed, and never tell their token', async () => {
  const { server, browser } = await scene();
  const { get, send } = browser;
  const queue = { queue: 'north', domain: server.url, token: OTHER_TOKEN };
  expect((await send('POST', `${AT}/queues`, queue)).status).toBe(204);
  const { json, text } = await get(`${AT}/queues`);
  expect(json).toMatchObject([{ queue: 'north', domain: server.url, health: { ok: true } }]);
  expect(text).not.toContain(OTHER_TOKEN);
  expect((await send('POST', `${AT}/queues`, queue)).status).toBe(400);
  expect((await send('DELETE', `${AT}/queues/north`)).status).toBe(204);
  expect((await send('DELETE', `${AT}/queues/north`)).status).toBe(404);
  expect((await get(`${AT}/queues`)).json).toEqual([]);
});

test('instances are told of', async () => {
  const { browser } = await scene();
  const { json } = await browser.get(`${AT}/instances`);
  expect(json).toMatchObject([{ state: 'alive', pid: process.pid, running: 0, concurrency: 10 }]);
});

describe('schedules', () => {
  async function scheduled(): Promise<Scene> {
    const server = await startServer();
    const service = makeService(server);
    service.on('mow', '5s', async () => ({ cut: 'x'.repeat(5000) }));
    service.schedule('mow-daily', { type: 'mow', cron: '0 7 * * *', timeZone: 'Europe/Paris' });
    service.schedule('mow-often', { type: 'mow', every: '30m' });
    await service.start();
    const dashboard = await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] });
    return { server, service, browser: await signIn(dashboard) };
  }

  test('are listed for people', async () => {
    const { browser } = await scheduled();
    const { json } = await browser.get(`${AT}/schedules`);
    expect(json.schedules).toMatchObject([
      { key: 'mow-daily', type: 'mow', timing: 'cron 0 7 * * * (Europe/Paris)', enabled: true, failures: 0 },
      { key: 'mow-often', timing: 'every 30 minutes', isRetired: false },
    ]);
    expect(json.schedules[0]).not.toHaveProperty('override');
    expect(json).not.toHaveProperty('heldSince');
  });

  test('are run when asked to, and show what came of it', async () => {
    const { service, browser } = await scheduled();
    const ended = service.events.next('schedule:ended');
    expect((await browser.send('POST', `${AT}/schedules/mow-daily`, { action: 'run' })).status).toBe(204);
    await ended;
    const { json } = await browser.get(`${AT}/schedules/mow-daily`);
    expect(json.preview).toHaveLength(10);
    expect(json.history).toMatchObject([{ outcome: 'success' }]);
    expect(json.history[0].job).toMatch(/^resources\//);
    expect(json.history[0].output).toHaveLength(2000);
  });

  test('show no part of a token in what came of them', async () => {
    const secret = String.raw`of-"the"\other-5ecret`;
    const server = await startServer();
    const service = makeService(server);
    service.on('mow', '5s', async () => ({ cut: 'x'.repeat(1980) + secret }));
    service.on('tell', '5s', async () => ({ cut: JSON.stringify({ secret }) }));
    service.schedule('mow', { type: 'mow', manual: true });
    service.schedule('tell', { type: 'tell', manual: true });
    await service.start();
    const other = { name: 'other', domain: 'http://127.0.0.1:9', token: secret };
    const stores = [{ name: 'store', domain: server.url, token: TOKEN }, other];
    const { get, send } = await signIn(await start({ stores }));
    const outputOf = async (key: string): Promise<string> => {
      const ended = service.events.next('schedule:ended');
      await send('POST', `${AT}/schedules/${key}`, { action: 'run' });
      await ended;
      return (await get(`${AT}/schedules/${key}`)).json.history[0].output as string;
    };
    expect(await outputOf('mow')).toBe(JSON.stringify({ cut: `${'x'.repeat(1980)}[token]` }));
    expect(await outputOf('tell')).toBe(JSON.stringify({ cut: '{"secret":"[token]"}' }));
  });

  test('are overridden, disabled, enabled and reset', async () => {
    const { browser } = await scheduled();
    const path = `${AT}/schedules/mow-often`;
    const does = async (body: object): Promise<number> => (await browser.send('POST', path, body)).status;
    expect(await does({ action: 'override', timing: { at: ['07:00'], timeZone: 'Europe/Paris' } })).toBe(204);
    expect((await browser.get(path)).json.override).toBe('at 07:00 (Europe/Paris)');
    expect(await does({ action: 'override', timing: null })).toBe(204);
    expect((await browser.get(path)).json).not.toHaveProperty('override');
    expect(await does({ action: 'disable' })).toBe(204);
    expect((await browser.get(path)).json.enabled).toBe(false);
    expect(await does({ action: 'enable', due: 'reschedule' })).toBe(204);
    expect((await browser.get(path)).json.enabled).toBe(true);
    expect(await does({ action: 'reset' })).toBe(204);
    expect(await does({ action: 'override', timing: { every: '1 fortnight' } })).toBe(400);
    expect(await does({ action: 'override', timing: { cron: '* * *' } })).toBe(400);
    expect((await browser.send('POST', `${AT}/schedules/none`, { action: 'run' })).status).toBe(404);
    expect((await browser.get(`${AT}/schedules/none`)).status).toBe(404);
  });

  test('are held and released, all of them or those of a type', async () => {
    const { browser } = await scheduled();
    const does = async (body: object): Promise<number> =>
      (await browser.send('POST', `${AT}/schedules`, body)).status;
    expect(await does({ action: 'hold' })).toBe(204);
    expect((await browser.get(`${AT}/schedules`)).json.heldSince).toMatch(/^\d{4}-/);
    expect(await does({ action: 'release', due: 'run' })).toBe(204);
    expect((await browser.get(`${AT}/schedules`)).json).not.toHaveProperty('heldSince');
    expect(await does({ action: 'pause-type', type: 'mow' })).toBe(204);
    expect(await does({ action: 'resume-type', type: 'mow' })).toBe(204);
    expect(await does({ action: 'release' })).toBe(400);
  });
});

test('what there is not is not found', async () => {
  const { browser } = await scene();
  for (const path of [
    'api/none/tractor',
    'api/store/none',
    'api/store/_meta',
    'api/store/__proto__',
    'api/store/..%2Ftractor',
    'api/store/a%2Fb',
    'api/store/%00',
    `${AT}/nothing`,
    `${AT}/job/`,
    `${AT}/job/none`,
    `${AT}/job/resources%2Fnone`,
    `${AT}/job/..%2F..%2Fbookmarks`,
    `${AT}/job/${'x'.repeat(5000)}`,
    'api/stores/more',
  ]) {
    const answer = await browser.get(path);
    expect([path, answer.status]).toEqual([path, 404]);
  }
});
