import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { OADAServer } from '@oada/jobs/server';

import { call, tokens, Wire } from './wire.js';

let server: OADAServer;
beforeEach(async () => {
  server = await OADAServer.start({ tokens });
});
afterEach(async () => {
  // Whatever was done to it, it is there and nothing was written that was not asked for.
  expect((await call(server, 'GET', '/bookmarks')).status).toBe(200);
  await server.stop();
});

test('strange paths are answered as paths', async () => {
  const paths = [
    '/', '//', '/.', '/..', '/bookmarks/..', '/bookmarks/../eves', '/bookmarks/%00', '/bookmarks/%', '/bookmarks/%zz', '/%62ookmarks',
    '/bookmarks?x=1', '/resources?x', '/resources/sams?x', '/bookmarks#x', '/bookmarks/~', '/bookmarks/~2', '/resources', '/resources/',
    '/resources//', '/resources//x', '/users', '/users/', '/users/me/bookmarks', '/bookmarksx', `/bookmarks/${'x'.repeat(15_000)}`,
    `/resources/${'x'.repeat(15_000)}`, `/bookmarks${'/a'.repeat(7000)}`, `/bookmarks${'/'.repeat(7000)}`, '/resources/__proto__', '/__proto__',
    '/bookmarks/_meta/_changes/__proto__', '/bookmarks/_meta/__proto__', '/bookmarks/_id/x', '/bookmarks/_meta/_changes/1/0/body', '*',
  ]; // prettier-ignore
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'DELETE', 'PUT', 'POST', 'PATCH', 'OPTIONS', 'TRACE']) {
      const { status } = await call(
        server,
        method,
        path,
        method === 'PUT' || method === 'POST' ? { body: { a: 1 } } : {},
      );
      expect(status, `${method} ${path.slice(0, 60)}`).toBeLessThan(500);
    }
  }
  expect((await call(server, 'GET', '/resources/eves', { token: 'eve' })).body._rev).toBe(1);
});

test('a path that is too long is refused before anything is written', async () => {
  await using wire = await Wire.open(server);
  for (const segments of [501, 5000, 1_000_000]) {
    const path = `/bookmarks${'/a'.repeat(segments)}`;
    for (const method of ['put', 'get', 'delete', 'watch', 'put-watch', 'post']) {
      const answer = await wire.ask({ method, path, data: 1, requestId: `${method}${String(segments)}` });
      expect([answer.status, answer.data.message]).toEqual([400, 'The path has more than 500 segments']);
    }
  }
  const whole = await wire.ask({ method: 'get', path: '/bookmarks' });
  expect(whole.data).toEqual(expect.not.objectContaining({ a: expect.anything() }));
  expect(whole.data._rev).toBe(1);
  // As deep as can be, it is stored and read.
  const body = JSON.parse('['.repeat(500) + ']'.repeat(500));
  expect((await wire.ask({ method: 'put', path: `/bookmarks${'/a'.repeat(500)}`, data: body })).status).toBe(
    201,
  );
  expect((await wire.ask({ method: 'get', path: '/bookmarks' })).status).toBe(200);
});

test('an id that is too long is that of no resource', async () => {
  const id = `resources/${'x'.repeat(255)}`;
  expect((await call(server, 'GET', `/${id}`)).status).toBe(404);
  expect((await call(server, 'PUT', `/${id}`, { body: {} })).status).toBe(400);
  expect((await call(server, 'PUT', '/bookmarks/l', { body: { _id: id, _rev: 4 } })).status).toBe(201);
  expect((await call(server, 'GET', '/bookmarks/l')).body).toEqual({ _id: id, _rev: 4 });
  expect((await call(server, 'PUT', `/${id.slice(0, -1)}`, { body: {} })).status).toBe(201);
});

test('a type or a path that no header can take is refused', async () => {
  await using wire = await Wire.open(server);
  const type = 'x'.repeat(1001);
  expect((await wire.ask({ method: 'put', path: '/bookmarks', data: { _type: type } })).status).toBe(400);
  expect((await wire.ask({ method: 'put', path: '/bookmarks/_type', data: type })).status).toBe(400);
  const headers = { 'content-type': `${type}/json` };
  expect((await wire.ask({ method: 'put', path: '/resources/n', data: {}, headers })).status).toBe(400);
  expect((await wire.ask({ method: 'put', path: `/bookmarks/${'x'.repeat(4000)}`, data: 1 })).status).toBe(
    414,
  );
  const longest = `/bookmarks/${'x'.repeat(3989)}`;
  expect((await call(server, 'GET', longest)).status).toBe(404);
  expect((await call(server, 'PUT', longest, { body: '1' })).status).toBe(201);
  expect((await call(server, 'GET', longest)).body).toBe(1);
});

test('ids, types and keys that cannot stand in a header do no harm there', async () => {
  for (const odd of ['a\r\nset-cookie: x=1', '\0', 'ü€😀', '\ud800', 'a"b', '\x7f', '__proto__']) {
    const _id = `resources/${odd}`;
    await call(server, 'PUT', '/bookmarks/l', { body: { _id } });
    expect((await call(server, 'GET', '/bookmarks/l')).status, JSON.stringify(odd)).toBe(404);
    const sent = await call(server, 'PUT', '/bookmarks/l', { body: { _type: odd, [odd]: 1 } });
    expect(sent.status).toBe(201);
    expect(sent.headers).not.toHaveProperty('set-cookie');
    const { body, headers } = await call(server, 'GET', '/bookmarks/l');
    expect(body).toMatchObject({ _id, _type: odd, [odd]: 1 });
    expect(headers).not.toHaveProperty('set-cookie');
    await call(server, 'DELETE', '/bookmarks/l');
  }
});

test('strange headers are ignored or refused', async () => {
  const strange: Record<string, string>[] = [
    { 'x-oada-ensure-link': 'both' },
    { 'x-oada-ensure-link': '' },
    { 'if-match': ', , ,' },
    { 'if-none-match': '"' },
    { accept: ';;,,/' },
    { accept: ','.repeat(8000) },
    { 'content-type': '/' },
    { 'content-type': ';' },
    { 'content-encoding': 'gzip' },
    { expect: '200-ok' },
    { 'x-oada-rev': '__proto__' },
    { upgrade: 'h2c', connection: 'upgrade' },
  ];
  for (const headers of strange) {
    for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
      const { status } = await call(
        server,
        method,
        '/bookmarks/h',
        method === 'GET' ? { headers } : { headers, body: { a: 1 } },
      );
      expect(status, `${method} ${JSON.stringify(headers).slice(0, 60)}`).toBeLessThan(500);
    }
  }
});

test('frames of garbage are answered or close the socket, and nothing else', async () => {
  const known = fc.constantFrom('requestId', 'method', 'path', 'headers', 'data');
  const frame = fc.oneof(
    fc.string(),
    fc.json(),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
    fc.dictionary(known, fc.jsonValue()).map((message) => JSON.stringify(message)),
    fc
      .record({
        requestId: fc.string(),
        method: fc.constantFrom(
          'watch',
          'get',
          'put',
          'put-watch',
          'delete-watch',
          'post-watch',
          'unwatch',
          '__proto__',
          'constructor',
        ),
        path: fc.oneof(
          fc.webPath(),
          fc.constantFrom('', '/bookmarks', 'bookmarks/x', '/resources/eves', '/resources', '//'),
        ),
        headers: fc.dictionary(
          fc.constantFrom('authorization', 'x-oada-rev', 'if-match', 'content-type'),
          fc.constantFrom('Bearer sam', 'Bearer eve', '0', 'application/json'),
        ),
        data: fc.jsonValue(),
      })
      .map((message) => JSON.stringify(message)),
  );
  await using wire = await Wire.open(server);
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 20 }), async (frames) => {
      for (const each of frames) wire.socket.send(each);
      expect(await wire.ask({ method: 'ping' })).toMatchObject({ status: 204 });
    }),
    { seed: 7, numRuns: 200 },
  );
});

test('broken frames and oversized messages close that socket only', async () => {
  const { hostname, port } = new URL(server.url);
  for (const garbage of [
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x81, 0x05, 1, 2, 3, 4, 5]),
    Buffer.alloc(5000, 0x83),
  ]) {
    const raw = connect(Number(port), hostname);
    raw.on('error', () => {}); // a reset is as good as an end
    raw.write(
      'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await once(raw, 'data');
    raw.write(garbage);
    await once(raw, 'close');
  }
  const large = await Wire.open(server);
  large.socket.on('error', () => {}); // it may break while it still sends
  large.socket.send(`"${'x'.repeat(20 * 1024 * 1024)}"`);
  expect([1006, 1009]).toContain(await large.closed);
});

test('HTTP that is none is refused', async () => {
  const { hostname, port } = new URL(server.url);
  /** Resolves when the connection is over. A reset is as good as an end: some versions of Node leave unread what is too long. */
  const sent = async (text: string): Promise<void> => {
    const raw = connect(Number(port), hostname);
    raw.on('error', () => {});
    raw.resume();
    raw.end(text);
    await new Promise((resolve) => raw.once('close', resolve));
  };
  const wrong = [
    '\r\n\r\n',
    'GET\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '\0\0\0\0',
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`,
    'PUT /bookmarks/x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'PUT /bookmarks/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  ];
  for (const text of wrong) await sent(text);
  for (const headers of [
    '',
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
    'Upgrade: nothing\r\nConnection: Upgrade\r\n',
  ]) {
    await sent(`GET /bookmarks HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
  }
});

test('a resource that links to itself, and links in a circle, end', async () => {
  await call(server, 'PUT', '/resources/a', {
    body: { me: { _id: 'resources/a', _rev: 0 }, b: { _id: 'resources/b', _rev: 0 } },
  });
  await call(server, 'PUT', '/resources/b', { body: { a: { _id: 'resources/a', _rev: 0 } } });
  expect((await call(server, 'PUT', '/resources/b/x', { body: 1 })).status).toBe(201);
  expect((await call(server, 'GET', `/resources/a${'/me'.repeat(100)}/b/x`)).body).toBe(1);
  await using wire = await Wire.open(server);
  await wire.ask({ method: 'watch', path: '/resources/a', headers: { 'x-oada-rev': '0' } });
  expect((await wire.rest()).length).toBeGreaterThan(0);
  expect((await call(server, 'DELETE', '/resources/a')).status).toBe(204);
});

test('a ladder of links climbs once a rung and side, not once a way', async () => {
  const rungs = 60;
  for (let rung = 1; rung <= rungs; rung += 1) {
    const link = { _id: `resources/rung${String(rung - 1)}`, _rev: 0 };
    await call(server, 'PUT', `/resources/rung${String(rung)}`, { body: { left: link, right: link } });
  }
  await call(server, 'PUT', '/resources/rung0', { body: { x: 1 } });
  await call(server, 'PUT', '/resources/rung0', { body: { x: 2 } });
  const { body } = await call(server, 'GET', `/resources/rung${String(rungs)}`);
  expect(body._rev).toBeLessThan(10);
  const { body: below } = await call(server, 'GET', `/resources/rung${String(rungs - 1)}`);
  expect([body.left._rev, body.right._rev]).toEqual([below._rev, below._rev]);
});

test('where each resource links to all below it, a write climbs in bearable time', async () => {
  const count = 40;
  const links = (to: number): object =>
    Object.fromEntries(
      Array.from({ length: to }, (_, at) => [`l${String(at)}`, { _id: `resources/d${String(at)}`, _rev: 0 }]),
    );
  for (let at = count; at >= 0; at -= 1)
    await call(server, 'PUT', `/resources/d${String(at)}`, { body: links(at) });
  expect((await call(server, 'PUT', '/resources/d0', { body: { x: 1 } })).status).toBe(201);
  const { body } = await call(server, 'GET', `/resources/d${String(count)}`);
  expect(body.l0._rev).toBe((await call(server, 'GET', '/resources/d0/_rev')).body);
});

test('a very long chain of links is no trap', async () => {
  const oada = server.client();
  const length = 3000;
  for (let at = 1; at < length; at += 1) {
    const data = { below: { _id: `resources/c${String(at - 1)}`, _rev: 0 } };
    await oada.put({ path: `/resources/c${String(at)}`, data, contentType: 'application/json' });
  }
  await oada.put({ path: '/resources/c0', data: { x: 1 }, contentType: 'application/json' });
  const { data } = await oada.get({ path: `/resources/c${String(length - 1)}` });
  expect(data).toMatchObject({ below: { _rev: 2 } });
});

test('a list with more links than are kept in memory can be deleted after a restart', async () => {
  const path = await mkdtemp(join(tmpdir(), 'oada-server-'));
  const before = await OADAServer.start({ path, tokens });
  const links = Array.from({ length: 21_000 }, (_, at) => [
    `k${String(at)}`,
    { _id: `resources/l${String(at)}`, _rev: 0 },
  ]);
  expect((await call(before, 'PUT', '/resources/list', { body: Object.fromEntries(links) })).status).toBe(
    201,
  );
  await before.stop();
  await using after = await OADAServer.start({ path, tokens });
  expect((await call(after, 'DELETE', '/resources/list')).status).toBe(204);
  expect((await call(after, 'GET', '/resources/list')).status).toBe(404);
  await call(after, 'PUT', '/resources/l7', { body: {} }); // has no parents left
  expect((await call(after, 'PUT', '/resources/list', { body: {} })).headers['x-oada-rev']).toBe('2');
  await after.stop();
  await rm(path, { recursive: true });
});

test('sockets that come and go leave nothing behind', async () => {
  for (let run = 0; run < 100; run += 1) {
    const wire = await Wire.open(server);
    wire.send({ method: 'watch', path: '/bookmarks', headers: { 'x-oada-rev': '0' } });
    if (run % 2 === 0) wire.socket.terminate();
    else wire.socket.close();
    await wire.closed;
    expect(wire.socket.readyState).toBe(WebSocket.CLOSED);
  }
  expect((await call(server, 'PUT', '/bookmarks/x', { body: 1 })).status).toBe(201);
});
