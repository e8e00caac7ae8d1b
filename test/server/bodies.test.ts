import { afterEach, beforeEach, expect, test } from 'vitest';

import { OADAServer } from '@oada/jobs/server';

import { call, tokens, Wire } from './wire.js';

let server: OADAServer;
beforeEach(async () => {
  server = await OADAServer.start({ tokens });
});
afterEach(() => server.stop());

test('a body that is no JSON is refused with the reason', async () => {
  for (const body of ['{"a":', '', 'undefined', '{"a":1}}', "{'a':1}", new Uint8Array([0x7b, 0xff, 0x7d])]) {
    const answer = await call(server, 'PUT', '/bookmarks/x', { body });
    expect(answer.status, String(body)).toBe(400);
    expect(answer.body).toMatchObject({ statusCode: 400, error: 'Bad Request' });
    expect(answer.body.message).toMatch(/^The body is not valid JSON: ./);
  }
  expect((await call(server, 'GET', '/bookmarks')).body._rev).toBe(1);
});

test('a body that is nested too deep is refused', async () => {
  const nest = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  expect((await call(server, 'PUT', '/bookmarks/ok', { body: nest(500) })).status).toBe(201);
  for (const levels of [501, 100_000]) {
    const { status, body } = await call(server, 'PUT', '/bookmarks/deep', { body: nest(levels) });
    expect([status, body.message]).toEqual([400, 'The body is nested deeper than 500 levels']);
  }
  await using wire = await Wire.open(server);
  wire.socket.send(
    `{"requestId":"d","method":"put","path":"/bookmarks/deep","headers":{"authorization":"Bearer sam","content-type":"application/json"},"data":${nest(100_000)}}`,
  );
  await wire.until(() => wire.frames.length > 0);
  expect(wire.frames[0]).toMatchObject({ requestId: 'd', status: 400 });
});

test('a number that JSON cannot give back is refused', async () => {
  const { status, body } = await call(server, 'PUT', '/bookmarks/n', { body: '{"n":[1e999]}' });
  expect([status, body.message]).toEqual([400, 'The body has a number that is too large']);
});

test('a body of 20 MiB is taken, a larger one is refused', async () => {
  const text = (length: number): string => JSON.stringify('x'.repeat(length - 2));
  expect((await call(server, 'PUT', '/bookmarks/large', { body: text(20 * 1024 * 1024) })).status).toBe(201);
  expect((await call(server, 'PUT', '/bookmarks/large', { body: text(20 * 1024 * 1024 + 1) })).status).toBe(
    413,
  );
});

test('a resource has to be an object', async () => {
  for (const body of ['1', '"text"', 'null', '[]', 'true']) {
    const answer = await call(server, 'PUT', '/resources/x', { body });
    expect([answer.status, answer.body.message]).toEqual([400, 'A resource has to be a JSON object']);
  }
  expect((await call(server, 'GET', '/resources/x')).status).toBe(404);
});

test('what has no content type is refused', async () => {
  await using wire = await Wire.open(server);
  const answer = await wire.ask({
    method: 'put',
    path: '/bookmarks/x',
    data: 1,
    headers: { 'content-type': '' },
  });
  expect(answer).toMatchObject({ status: 400, data: { message: 'No content type specified' } });
});

test('any content type is taken, be it none', async () => {
  for (const type of ['application/x; charset=utf-8', 'text/plain', 'garbage']) {
    const sent = await call(server, 'PUT', '/resources/typed', {
      body: 'abc',
      headers: { 'content-type': type },
    });
    expect(sent.status).toBe(201);
    const { headers, body } = await call(server, 'GET', '/resources/typed');
    expect(body).toBe('abc');
    expect(headers['content-type']).toBe(type === 'garbage' ? 'application/octet-stream' : type);
    expect((await call(server, 'GET', '/resources/typed/_meta')).body._type).toBe(type);
  }
});

test('bytes come back as they were, and their own _meta stays', async () => {
  await call(server, 'PUT', '/resources/b', { body: { a: 1, _meta: { note: 'kept' } } });
  await call(server, 'PUT', '/resources/b', {
    body: new Uint8Array([1, 2, 3]),
    headers: { 'content-type': 'image/png' },
  });
  expect((await call(server, 'GET', '/resources/b')).body).toBe('\u0001\u0002\u0003');
  expect((await call(server, 'GET', '/resources/b/_meta/note')).body).toBe('kept');
  expect((await call(server, 'GET', '/resources/b/a')).status).toBe(501);
  await call(server, 'PUT', '/resources/b', { body: { _type: 'application/json', c: 2 } });
  const { body } = await call(server, 'GET', '/resources/b');
  expect(body).toMatchObject({ c: 2, _rev: 3 });
  expect(body).not.toHaveProperty('a');
});

test('what the server keeps itself is ignored in a body, but a wrong _id is refused', async () => {
  const body = {
    _id: 'resources/own',
    _rev: 77,
    _meta: { _owner: 'users/eve', _rev: 88, stats: 1, modifiedBy: 'me' },
    x: 1,
  };
  expect((await call(server, 'PUT', '/resources/own', { body })).status).toBe(201);
  expect((await call(server, 'GET', '/resources/own')).body).toMatchObject({ _rev: 1, x: 1 });
  expect((await call(server, 'GET', '/resources/own/_meta')).body).toMatchObject({
    _owner: 'users/sam',
    modifiedBy: 'users/sam',
    _rev: 1,
  });
  for (const _id of ['resources/other', 'resources/own/', 5, null, '']) {
    expect((await call(server, 'PUT', '/resources/own', { body: { _id } })).status).toBe(422);
  }
});
