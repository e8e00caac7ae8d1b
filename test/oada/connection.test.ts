import { OADAClient } from '@oada/client';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';

import { systemClock } from '../../lib/clock.js';
import { SocketConnection } from '../../lib/oada/connection.js';
import { FakeClock } from '../fake-clock.js';
import { startProxy } from '../proxy.js';
import { startServer, TOKEN } from '../setup.js';
import { startSlowServer } from './slow-server.js';

const JSON_TYPE = 'application/json';

function connect(
  url: string,
  options: { clock?: FakeClock; timeout?: number } = {},
): [SocketConnection, OADAClient] {
  const { clock = systemClock, timeout = 10_000 } = options;
  const connection = new SocketConnection(new URL(url), { clock, timeout });
  onTestFinished(() => connection.disconnect());
  return [connection, new OADAClient({ domain: url, token: TOKEN, connection })];
}

test('a request is answered, and one that is refused rejects with its status', async () => {
  const server = await startServer();
  const [connection, client] = connect(server.url);
  expect(connection.isConnected()).toBe(false);
  expect((await client.get({ path: '/bookmarks' })).data).toMatchObject({ _id: expect.any(String) });
  expect(connection.isConnected()).toBe(true);
  await expect(client.get({ path: '/bookmarks/nothing' })).rejects.toMatchObject({
    status: 404,
    code: '404',
  });
});

test('a thousand requests at once each get their own answer', async () => {
  const server = await startServer();
  const [, client] = connect(server.url);
  await client.put({
    path: '/bookmarks',
    data: Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${String(n)}`, n])),
    contentType: JSON_TYPE,
  });
  const answers = await Promise.all(
    Array.from(
      { length: 1000 },
      async (_, n) => (await client.get({ path: `/bookmarks/k${String(n)}` })).data,
    ),
  );
  expect(answers).toEqual(Array.from({ length: 1000 }, (_, n) => n));
});

test('a cut ends what is on its way and every watch; the next request opens a new socket', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.url);
  const [connection, client] = connect(proxy.url);
  const { changes } = await client.watch({ path: '/bookmarks', type: 'tree' });
  const ended = (async () => {
    for await (const change of changes) expect(change).toBe('never');
  })();
  proxy.stall();
  const answer = client.get({ path: '/bookmarks' });
  answer.catch(() => undefined);
  proxy.cut();
  await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(ended).rejects.toThrow('The connection was lost');
  expect(connection.isConnected()).toBe(false);
  proxy.resume();
  expect((await client.get({ path: '/bookmarks' })).status).toBe(200);
});

test('an answer that does not come in time rejects', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.url);
  const [, client] = connect(proxy.url, { timeout: 50 });
  await client.get({ path: '/bookmarks' });
  proxy.stall();
  await expect(client.get({ path: '/bookmarks' })).rejects.toMatchObject({ code: 'REQUEST_TIMEDOUT' });
});

test('a socket that is open on this side only is noticed by its silence, and its watches end', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.url);
  const clock = new FakeClock();
  const [connection, client] = connect(proxy.url, { clock });
  const { changes } = await client.watch({ path: '/bookmarks', type: 'tree' });
  const ended = changes.next();
  ended.catch(() => undefined);
  proxy.stall();
  await clock.advance(9_999);
  expect(connection.isConnected()).toBe(true);
  await clock.advance(10_002);
  await expect(ended).rejects.toThrow('The connection was lost');
  expect(connection.isConnected()).toBe(false);
  expect(clock.timers).toBe(0);
});

test('a change that comes in the same packet as the answer to its watch is not lost', async () => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    sockets.close();
  });
  await new Promise((resolve) => sockets.once('listening', resolve));
  sockets.on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const { requestId } = JSON.parse(data.toString()) as { requestId: string };
      const change = [{ resource_id: 'resources/a', path: '', type: 'merge', body: { _rev: 2 } }];
      socket.send(JSON.stringify({ requestId: [requestId], resourceId: 'resources/a', change }));
      socket.send(JSON.stringify({ requestId, status: 200, headers: { 'x-oada-rev': '1' } }));
      socket.send('no JSON');
      socket.send(JSON.stringify({ requestId: ['nobody'], change }));
      socket.send(JSON.stringify({ requestId: 'nobody', status: 200, headers: {} }));
      socket.send(JSON.stringify({ requestId: [requestId], resourceId: 'resources/a', change }));
    });
  });
  const { port } = sockets.address() as { port: number };
  const [, client] = connect(`http://127.0.0.1:${String(port)}`);
  const { changes } = await client.watch({ path: '/resources/a', type: 'tree' });
  for (let count = 0; count < 2; count++) {
    expect((await changes.next()).value).toMatchObject([{ body: { _rev: 2 } }]);
  }
  for (const socket of sockets.clients) socket.terminate();
});

test('a watch can be resumed', async () => {
  const server = await startServer();
  const [, client] = connect(server.url);
  const { headers } = await client.put({ path: '/bookmarks', data: { a: 1 }, contentType: JSON_TYPE });
  await client.put({ path: '/bookmarks', data: { b: 2 }, contentType: JSON_TYPE });
  const rev = Number(headers['x-oada-rev']);
  const { changes } = await client.watch({ path: '/bookmarks', type: 'tree', rev });
  expect((await changes.next()).value).toMatchObject([{ body: { b: 2 } }]);
});

test('a large body goes over HTTP, and one that is too large rejects with its status', async () => {
  const server = await startServer();
  const [connection, client] = connect(server.url);
  const text = 'x'.repeat(2 * 1024 * 1024);
  await client.put({ path: '/bookmarks/big', data: text, contentType: JSON_TYPE });
  expect((await client.get({ path: '/bookmarks/big' })).data === text).toBe(true);
  await expect(
    client.put({ path: '/bookmarks/big', data: 'x'.repeat(21 * 1024 * 1024), contentType: JSON_TYPE }),
  ).rejects.toMatchObject({ status: 413 });
  expect(connection.isConnected()).toBe(true);
});

test('bytes are sent as they are', async () => {
  const server = await startServer();
  const [, client] = connect(server.url);
  const data = Uint8Array.from([0, 1, 2, 255]);
  await client.put({ path: '/resources/bytes', data, contentType: 'application/octet-stream' });
  expect((await server.client().get({ path: '/resources/bytes' })).data).toEqual(data);
});

test('a DELETE to a server that is not known to keep watches goes over HTTP', async () => {
  const server = await startServer();
  const [connection, client] = connect(server.url);
  await server.client().put({ path: '/bookmarks/gone', data: 1, contentType: JSON_TYPE });
  expect((await client.delete({ path: '/bookmarks/gone' })).status).toBe(204);
  expect(connection.isConnected()).toBe(false);
  await expect(server.client().get({ path: '/bookmarks/gone' })).rejects.toMatchObject({ status: 404 });
});

test('many DELETEs share ten sockets, and the time of one begins when it is sent', async () => {
  const server = await startSlowServer();
  const clock = new FakeClock();
  const [, client] = connect(server.url, { clock, timeout: 100 });
  const answers = Array.from({ length: 60 }, (_, n) => client.delete({ path: `/bookmarks/k${String(n)}` }));
  const all = Promise.all(answers);
  all.catch(() => undefined);
  for (let sent = 10; sent <= 60; sent += 10) {
    await expect.poll(server.asked).toBe(sent);
    await clock.advance(60);
    expect(server.asked()).toBe(sent);
    server.answer();
  }
  expect((await all).map(({ status }) => status)).toEqual(Array.from({ length: 60 }, () => 204));
  expect(server.made()).toBe(10);
  expect(clock.timers).toBe(0);
});

test('DELETEs that are not answered in time make room for others, and those that wait are given up with the connection', async () => {
  const server = await startSlowServer();
  const clock = new FakeClock();
  const [connection, client] = connect(server.url, { clock, timeout: 100 });
  const answers = Array.from({ length: 30 }, (_, n) => client.delete({ path: `/bookmarks/k${String(n)}` }));
  const settled = Promise.allSettled(answers);
  await expect.poll(server.asked).toBe(10);
  await clock.advance(100);
  await expect.poll(server.asked).toBe(20);
  await connection.disconnect();
  const codes = (await settled).map(
    (one) => one.status === 'rejected' && (one.reason as { code?: unknown }).code,
  );
  expect(new Set(codes.slice(0, 10))).toEqual(new Set(['REQUEST_TIMEDOUT']));
  expect(new Set(codes.slice(10))).toEqual(new Set(['ECONNRESET']));
  expect(server.asked()).toBe(20);
  expect(clock.timers).toBe(0);
});

test('disconnecting while a socket is being opened leaves none behind', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.url);
  const [connection, client] = connect(proxy.url);
  const answer = client.get({ path: '/bookmarks' });
  await connection.disconnect();
  await expect(answer).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(client.get({ path: '/bookmarks' })).rejects.toThrow('closed on this side');
  await expect(client.delete({ path: '/bookmarks/a' })).rejects.toThrow('closed on this side');
  await expect.poll(() => proxy.open()).toBe(0);
  expect(connection.isConnected()).toBe(false);
});

test('fifty lost sockets leave no listeners and no timers behind', async () => {
  const server = await startServer();
  const proxy = await startProxy(server.url);
  const clock = new FakeClock();
  const [connection, client] = connect(proxy.url, { clock });
  for (let count = 1; count <= 50; count++) {
    const { changes } = await client.watch({ path: '/bookmarks', type: 'tree' });
    const ended = changes.next();
    proxy.cut();
    await expect(ended).rejects.toThrow('The connection was lost');
  }
  expect(proxy.made()).toBe(50);
  await expect.poll(() => proxy.open()).toBe(0);
  expect(connection.eventNames()).toEqual([]);
  expect(clock.timers).toBe(0);
});

test('data that is no JSON rejects and leaves nothing waiting', async () => {
  const server = await startServer();
  const clock = new FakeClock();
  const [connection, client] = connect(server.url, { clock });
  await client.get({ path: '/bookmarks' });
  const timers = clock.timers;
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const request = { method: 'put', path: '/bookmarks', headers: {}, data: cyclic } as const;
  await expect(connection.request(request as never)).rejects.toThrow(TypeError);
  expect(clock.timers).toBe(timers);
});
