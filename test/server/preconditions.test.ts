import { afterEach, beforeEach, expect, test } from 'vitest';

import { OADAServer } from '@oada/jobs/server';

import { call, tokens, Wire } from './wire.js';
import type { Reply } from './wire.js';

let server: OADAServer;
beforeEach(async () => {
  server = await OADAServer.start({ tokens });
});
afterEach(() => server.stop());

const statuses = (replies: readonly Reply[]): number[] => replies.map(({ status }) => status).sort();

test('of many writes with one If-Match exactly one is done', async () => {
  await call(server, 'PUT', '/resources/r', { body: {} });
  await using wire = await Wire.open(server);
  for (let rev = 1; rev <= 20; rev += 1) {
    const headers = { 'if-match': `"r/${String(rev)}"` };
    const replies = await Promise.all([
      ...Array.from({ length: 5 }, (_, by) => call(server, 'PUT', '/resources/r/by', { body: by, headers })),
      ...Array.from({ length: 5 }, (_, by) =>
        wire.ask({ method: 'put', path: '/resources/r/by', data: by, headers }),
      ),
    ]);
    expect(statuses(replies)).toEqual([201, ...Array<number>(9).fill(412)]);
  }
  expect((await call(server, 'GET', '/resources/r')).body._rev).toBe(21);
});

test('counting up by compare-and-set loses no count', async () => {
  await call(server, 'PUT', '/resources/counter', { body: { count: 0 } });
  const countUp = async (): Promise<void> => {
    for (;;) {
      const { body, headers } = await call(server, 'GET', '/resources/counter');
      const ifMatch = { 'if-match': headers['etag'] ?? '' };
      const write = { body: { count: Number(body.count) + 1 }, headers: ifMatch };
      if ((await call(server, 'PUT', '/resources/counter', write)).status === 201) return;
    }
  };
  await Promise.all(Array.from({ length: 12 }, countUp));
  expect((await call(server, 'GET', '/resources/counter')).body).toMatchObject({ count: 12, _rev: 13 });
});

test('of many DELETEs of a link with the ETag of its parent exactly one is done', async () => {
  await call(server, 'PUT', '/resources/list', { body: { l: { _id: 'resources/x' } } });
  const headers = { 'if-match': '"list/1"' };
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => call(server, 'DELETE', '/resources/list/l', { headers })),
  );
  expect(statuses(replies)).toEqual([204, ...Array<number>(7).fill(412)]);
});

test('only a full ETag of the resource that is written matches', async () => {
  await call(server, 'PUT', '/resources/r', { body: {} });
  const put = async (headers: Record<string, string>): Promise<number> =>
    (await call(server, 'PUT', '/resources/r/x', { body: 1, headers })).status;
  for (const wrong of [
    '*',
    '1',
    '"1"',
    '""',
    '"other/1"',
    '"r/2"',
    'r/1',
    '"r/1","r/1"',
    '"r/0"',
    '"r/null"',
  ]) {
    expect(await put({ 'if-match': wrong }), wrong).toBe(412);
  }
  expect(await put({ 'if-match': 'W/"r/1"' })).toBe(201);
  expect(await put({ 'if-match': '"x/1", "r/2"' })).toBe(201);
  expect(await put({ 'if-none-match': '"r/3"' })).toBe(412);
  expect(await put({ 'if-none-match': '"r/2"' })).toBe(201);
  expect(
    (await call(server, 'PUT', '/resources/new', { body: {}, headers: { 'if-match': '"new/null"' } })).status,
  ).toBe(412);
  expect(
    (await call(server, 'PUT', '/resources/new', { body: {}, headers: { 'if-match': '"new/0"' } })).status,
  ).toBe(412);
});

test('a reader that has the current revision is told so, one with a stale ETag gets the new one', async () => {
  await call(server, 'PUT', '/resources/r', { body: { n: 1 } });
  const get = (headers: Record<string, string>): Promise<Reply> =>
    call(server, 'GET', '/resources/r', { headers });
  expect((await get({ 'if-none-match': '"r/1"' })).status).toBe(304);
  await call(server, 'PUT', '/resources/r', { body: { n: 2 } });
  expect((await get({ 'if-none-match': '"r/1"' })).body).toMatchObject({ n: 2 });
  expect((await get({ 'if-match': '"r/1"' })).status).toBe(412);
  expect((await get({ 'if-match': '"r/2"' })).status).toBe(200);
});

test('the ETag of an answer is that of its body, while others write', async () => {
  await call(server, 'PUT', '/resources/r', { body: {} });
  const writes = Array.from({ length: 40 }, (_, n) => call(server, 'PUT', '/resources/r', { body: { n } }));
  const reads = Array.from({ length: 40 }, () => call(server, 'GET', '/resources/r'));
  await Promise.all(writes);
  for (const { headers, body } of await Promise.all(reads))
    expect(headers['etag']).toBe(`"r/${String(body._rev)}"`);
});
