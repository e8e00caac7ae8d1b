import { submit } from '@oada/jobs';
import { expect, test } from 'vitest';

import {
  BASE,
  countTo,
  ensureLists,
  makeService,
  NAME,
  OTHER_TOKEN,
  postResource,
  putEntry,
  read,
  startServer,
  TOKEN,
} from '../setup.js';
import { answerOf, AT, signIn, start } from './setup.js';

test('no answer holds a token, whoever has written it where', async () => {
  const server = await startServer();
  const service = makeService(server);
  service.on(TOKEN, '5s', async () => ({ [TOKEN]: [`it is ${TOKEN}!`] }));
  await service.start();
  const oada = server.client(TOKEN);
  const filed = countTo(service, 'job:filed', 1);
  const job = { service: NAME, type: TOKEN, config: { text: `Bearer ${TOKEN}` }, owner: 'users/sam' };
  const { _id } = await submit(oada, job);
  await filed;
  await oada.put({
    path: `${BASE}/queues`,
    data: {
      other: { domain: server.url, token: OTHER_TOKEN },
      wrong: { domain: `x?${TOKEN}`, token: TOKEN },
    },
    contentType: 'application/json',
  });
  const browser = await signIn(
    await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
  );
  const live = await browser.events(`${AT}/live?jobs=${_id}`);
  const answers = await Promise.all(
    [
      ...['', 'api/session', 'api/stores', AT, `${AT}/jobs?list=success`, `${AT}/job/${_id}`],
      ...[`${AT}/queues`, `${AT}/instances`, `${AT}/schedules`, `${AT}/job/${TOKEN}`],
      ...[`${AT}/jobs?list=${TOKEN}`, `api/store/${TOKEN}`, `api/${TOKEN}/x`, TOKEN, `${AT}/jobs?${TOKEN}=1`],
    ].map((path) => browser.get(path)),
  );
  answers.push(
    await browser.send('POST', `${AT}/queues`, { queue: 'new', domain: `https://${TOKEN}@x`, token: TOKEN }),
    await browser.send('POST', `${AT}/queues`, { queue: 'new', domain: server.url, token: `${TOKEN} \n` }),
    await browser.send('POST', `${AT}/jobs`, { action: 'retry', ids: [_id, `resources/${TOKEN}`] }),
  );
  const detail = JSON.stringify(await live.next('job'));
  expect(detail).toContain('Bearer [token]');
  await live.next('throughput');
  for (const text of [...answers.map((answer) => answer.text), JSON.stringify(live.seen)]) {
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain(OTHER_TOKEN);
  }
});

test('what is no job of the service is neither shown nor changed', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  await ensureLists(oada);
  await oada.put({
    path: `${BASE}/queues`,
    data: { other: { domain: server.url, token: OTHER_TOKEN } },
    contentType: 'application/json',
  });
  const queues = (await read(oada, `${BASE}/queues`))._id as string;
  const others = await postResource(oada, { service: 'mill', type: 'grind', status: 'success' });
  await putEntry(oada, 'sly', { _id: queues });
  const { get, send } = await signIn(
    await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
  );
  for (const name of [queues, others, 'sly']) expect((await get(`${AT}/job/${name}`)).status).toBe(404);
  for (const action of ['delete', 'rerun', 'retry', 'cancel']) {
    const { json } = await send('POST', `${AT}/jobs`, { action, ids: [queues, others] });
    expect(json).toMatchObject({ done: 0, problems: [{ id: queues }, { id: others }] });
  }
  expect(await read(oada, `/${others}`)).toMatchObject({ type: 'grind' });
});

test('names and contents of any kind are shown as they are', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  await ensureLists(oada);
  const keys = ['<script>', "'; DROP", 'a b', '..', '__proto__', 'constructor', '%2e%2e', 'ключ', '-'];
  const ids: string[] = [];
  for (const key of keys) {
    const id = await postResource(oada, {
      service: NAME,
      type: '<img src=x onerror=alert(1)>',
      config: { '<b>': ['</script>', '\u2028', '\n\ndata: {}\n\n'] },
      updates: { a: 'none', b: { status: 7 }, c: { status: '\r\nevent: counts', time: 'x' } },
      startedBy: { constructor: 1 },
      children: { '../x': { _id: 'resources/..' } },
      progress: 'much',
    });
    ids.push(id);
    await putEntry(oada, key, { _id: id });
  }
  for (const entry of [null, 7, 'x', [], {}, { _id: 'bookmarks' }, { _id: 'resources/../x' }])
    await putEntry(oada, `odd-${JSON.stringify(entry).length.toString()}`, entry);
  const { get, events } = await signIn(
    await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
  );
  const { status, headers, json } = await get(`${AT}/jobs?list=pending&text=%3CIMG`);
  expect(status).toBe(200);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  // A key that no path can name is no job's.
  expect(json.jobs.map(({ key }: { key: string }) => key).toSorted()).toEqual(
    ["'; DROP", '-', '%2e%2e', '__proto__', 'constructor'].filter((key) => key !== "'; DROP").toSorted(),
  );
  const live = await events(`${AT}/live?jobs=${ids.at(-1) ?? ''}`);
  const job = await live.next<{ config: object }>('job');
  expect(job.config).toEqual({ '<b>': ['</script>', '\u2028', '\n\ndata: {}\n\n'] });
  expect(await live.next('counts')).toMatchObject({ pending: 4 });
});

test.each([
  ['not JSON', '{'],
  ['a text', '"x"'],
  ['null', 'null'],
  ['a list', '[]'],
  ['a poisoned prototype', '{"__proto__":{"paused":true}}'],
  ['something unknown', '{"paused":true,"more":1}'],
  ['another kind of value', '{"paused":"yes"}'],
  ['far too much', `{"paused":"${'x'.repeat(2_000_000)}"}`],
])('a body that is %s is refused', async (_name, body) => {
  const server = await startServer();
  await ensureLists(server.client(TOKEN));
  const { origin, cookie, csrfToken } = await signIn(
    await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
  );
  const answer = await answerOf(
    await fetch(`${origin}/${AT}/paused`, {
      method: 'POST',
      headers: { cookie, 'x-csrf-token': csrfToken, 'content-type': 'application/json' },
      body,
    }),
  );
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.json.code).toMatch(/^OADA_JOBS_(CONFIG|DASHBOARD_REQUEST)$/);
});

test.each([
  'list=none',
  'list=pending&list=success',
  'list=pending&limit=0',
  'list=pending&limit=1001',
  'list=pending&limit=1e3',
  'list=pending&limit=-1',
  'list=success&day=2026-1-1',
  'list=success&day=../x',
  'list=success&failureType=x',
  'list=failure&owner=x',
  'list=failure&after=x',
  `list=failure&text=${'x'.repeat(2001)}`,
  'list=failure&text=',
  'list=failure&more=1',
  '',
])('jobs are not listed for %s', async (query) => {
  const server = await startServer();
  await ensureLists(server.client(TOKEN));
  const { get } = await signIn(
    await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
  );
  const answer = await get(`${AT}/jobs?${query}`);
  expect([answer.status, answer.json.code]).toEqual([400, 'OADA_JOBS_CONFIG']);
});

test.each([
  {},
  { action: 'explode', ids: ['resources/a'] },
  { action: 'retry' },
  { action: 'retry', ids: [] },
  { action: 'retry', ids: 'resources/a' },
  { action: 'retry', ids: ['resources/a', 7] },
  { action: 'retry', ids: ['bookmarks'] },
  { action: 'retry', ids: ['resources/a/b'] },
  { action: 'retry', ids: Array.from({ length: 1001 }, () => 'resources/a') },
  { action: 'delete', filter: {} },
  { action: 'retry', ids: ['resources/a'], filter: {} },
  { action: 'retry', filter: { list: 'success' } },
  { action: 'retry', filter: { day: 'today' } },
])('nothing is done to jobs for %j', async (body) => {
  const server = await startServer();
  await ensureLists(server.client(TOKEN));
  const { send } = await signIn(
    await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] }),
  );
  expect((await send('POST', `${AT}/jobs`, body)).status).toBe(400);
});
