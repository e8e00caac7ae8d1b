import { afterEach, beforeEach, expect, test } from 'vitest';

import { OADAServer } from '@oada/jobs/server';

import { call, tokens, Wire } from './wire.js';

let server: OADAServer;
beforeEach(async () => {
  server = await OADAServer.start({ tokens });
  await call(server, 'PUT', '/resources/secret', { body: { treasure: 1 } });
});
afterEach(() => server.stop());

const eve = { token: 'eve' };

test('no request without a known token is answered', async () => {
  for (const headers of [
    {},
    { authorization: 'Bearer ' },
    { authorization: 'bearer sam' },
    { authorization: 'Basic sam' },
    { authorization: 'Bearer nobody' },
  ]) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const { status, body } = await call(server, method, '/resources/secret', { token: '', headers });
      expect([status, body.error]).toEqual([401, 'Unauthorized']);
    }
  }
});

test('nobody reads or writes the resource of another', async () => {
  for (const path of ['', '/treasure', '/_meta', '/_meta/_changes', '/_meta/_changes/1', '/_rev']) {
    const { status, body } = await call(server, 'GET', `/resources/secret${path}`, eve);
    expect(status, path).toBe(403);
    expect(JSON.stringify(body)).not.toContain('treasure');
    expect((await call(server, 'HEAD', `/resources/secret${path}`, eve)).status).toBe(403);
  }
  expect((await call(server, 'PUT', '/resources/secret', { ...eve, body: { x: 1 } })).status).toBe(403);
  expect(
    (await call(server, 'PUT', '/resources/secret/_meta/_owner', { ...eve, body: '"users/eve"' })).status,
  ).toBe(403);
  expect((await call(server, 'POST', '/resources/secret', { ...eve, body: { x: 1 } })).status).toBe(403);
  expect((await call(server, 'DELETE', '/resources/secret', eve)).status).toBe(403);
  expect((await call(server, 'GET', '/resources/secret')).body).toMatchObject({ treasure: 1, _rev: 1 });
});

test('a link to the resource of another leads nowhere', async () => {
  await call(server, 'PUT', '/bookmarks/l', { ...eve, body: { _id: 'resources/secret', _rev: 5 } });
  expect((await call(server, 'GET', '/bookmarks', eve)).body.l).toEqual({ _id: 'resources/secret', _rev: 0 });
  expect((await call(server, 'GET', '/bookmarks/l', eve)).status).toBe(403);
  expect((await call(server, 'PUT', '/bookmarks/l/x', { ...eve, body: 1 })).status).toBe(403);
  const ensure = { ...eve, body: {}, headers: { 'x-oada-ensure-link': 'versioned' } };
  expect((await call(server, 'PUT', '/bookmarks/l/x', ensure)).status).toBe(403);
  // Over a link in an array as well.
  await call(server, 'PUT', '/bookmarks/all', { ...eve, body: [{ _id: 'resources/secret' }] });
  expect((await call(server, 'GET', '/bookmarks/all/0', eve)).status).toBe(403);
  // The link is eve's own, and hers to remove.
  expect((await call(server, 'DELETE', '/bookmarks/l', eve)).status).toBe(204);
  expect((await call(server, 'GET', '/resources/secret')).body).toMatchObject({ treasure: 1, _rev: 1 });
});

test('a change is not told through the resource of another', async () => {
  await using wire = await Wire.open(server);
  await call(server, 'PUT', '/bookmarks/l', { ...eve, body: { _id: 'resources/secret', _rev: 0 } });
  await wire.ask({ method: 'watch', path: '/bookmarks', token: 'eve' });
  await call(server, 'PUT', '/resources/secret', { body: { treasure: 2 } });
  expect(await wire.rest()).toEqual([]);
  expect((await call(server, 'GET', '/bookmarks/_rev', eve)).body).toBe(2);
  expect((await call(server, 'GET', '/bookmarks/_meta/_changes/2', eve)).body).toHaveLength(1);
});

test('a watch of the resource of another is refused, and hears of nothing', async () => {
  await using wire = await Wire.open(server);
  for (const method of ['watch', 'head-watch', 'get-watch', 'put-watch', 'post-watch', 'delete-watch']) {
    const answer = await wire.ask({
      method,
      path: '/resources/secret',
      token: 'eve',
      data: {},
      headers: { 'x-oada-rev': '0' },
    });
    expect(answer.status, method).toBe(403);
  }
  await call(server, 'PUT', '/resources/secret', { body: { treasure: 2 } });
  expect(await wire.rest()).toEqual([]);
});

test('who makes a deleted resource of another anew sees nothing of the old one', async () => {
  await using wire = await Wire.open(server);
  await wire.ask({ method: 'watch', path: '/resources/secret', requestId: 'sams' });
  await call(server, 'DELETE', '/resources/secret');
  await wire.change();
  await call(server, 'PUT', '/resources/secret', { ...eve, body: { hers: 1 } });

  const { body } = await call(server, 'GET', '/resources/secret', eve);
  expect(body).toMatchObject({ hers: 1, _rev: 2 });
  expect(Object.keys((await call(server, 'GET', '/resources/secret/_meta/_changes', eve)).body)).toEqual([
    '2',
  ]);
  expect((await call(server, 'GET', '/resources/secret/_meta/_changes/1', eve)).body).toEqual([]);
  // On the same socket: eve's watch works, though sam's is on it too; and sam's hears nothing.
  await wire.ask({
    method: 'watch',
    path: '/resources/secret',
    token: 'eve',
    requestId: 'eves',
    headers: { 'x-oada-rev': '0' },
  });
  const replayed = await wire.change();
  expect(replayed.change[0].body).toMatchObject({ hers: 1, _rev: 2 });
  await call(server, 'PUT', '/resources/secret', { ...eve, body: { hers: 2 } });
  const frames = await wire.rest();
  expect(frames.map(({ requestId }) => requestId)).toEqual([['eves']]);
  expect((await call(server, 'GET', '/resources/secret')).status).toBe(403);
});

test('a user document is only for its user', async () => {
  expect((await call(server, 'GET', '/users/me')).body).toMatchObject({
    _id: 'users/sam',
    bookmarks: { _id: 'resources/sams' },
  });
  expect((await call(server, 'GET', '/users/sam')).body).toMatchObject({ _id: 'users/sam' });
  expect((await call(server, 'GET', '/users/sam', eve)).status).toBe(404);
  expect((await call(server, 'GET', '/users/sam', { token: '' })).status).toBe(401);
  expect((await call(server, 'PUT', '/users/sam', { body: {} })).status).toBe(404);
});

test('two tokens of one user share its bookmarks', async () => {
  await using shared = await OADAServer.start({
    tokens: [
      { token: 'one', user: 'users/x' },
      { token: 'two', user: 'users/x' },
    ],
  });
  await call(shared, 'PUT', '/bookmarks/a', { token: 'one', body: 1 });
  expect((await call(shared, 'GET', '/bookmarks/a', { token: 'two' })).body).toBe(1);
});

test('bookmarks cannot be deleted by their own user', async () => {
  expect((await call(server, 'DELETE', '/bookmarks')).status).toBe(403);
  expect((await call(server, 'DELETE', '/resources/sams')).status).toBe(403);
  expect((await call(server, 'DELETE', '/shares')).status).toBe(403);
});
