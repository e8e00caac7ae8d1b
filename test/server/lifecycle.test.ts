import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { OADAServer, ServerError } from '@oada/jobs/server';

import { call, serverProcess, tokens, Wire } from './wire.js';

test('wrong options are refused with their code', async () => {
  const wrong: [options: unknown, message: RegExp][] = [
    [null, /object/],
    ['here', /object/],
    [{ prot: 1 }, /no option `prot`; there are host, port, path, tokens/],
    [{ port: -1 }, /`port` .* got `-1`/],
    [{ port: 65_536 }, /`port`/],
    [{ port: '80' }, /`port` .* got `"80"`/],
    [{ port: Number.NaN }, /`port`/],
    [{ host: 5 }, /`host`/],
    [{ path: '' }, /`path`/],
    [{ path: 'a\0b' }, /`path`/],
    [{ tokens: [] }, /`tokens` .* at least one/],
    [{ tokens: 'abc' }, /`tokens`/],
    [{ tokens: [null] }, /`tokens`/],
    [{ tokens: [{}] }, /`token`/],
    [{ tokens: [{ token: '' }] }, /`token`/],
    [{ tokens: [{ token: 'a b' }] }, /`token`/],
    [{ tokens: [{ token: 'a' }, { token: 'a' }] }, /twice/],
    [{ tokens: [{ token: 'a', user: 'sam' }] }, /`user` .* users\/sam/],
    [{ tokens: [{ token: 'a', user: 5 }] }, /`user`/],
    [{ tokens: [{ token: 'a', bookmarks: 'resources/a/b' }] }, /`bookmarks`/],
    [{ tokens: [{ token: 'a', bookmarks: {} }] }, /`bookmarks`/],
  ];
  for (const [options, message] of wrong) {
    const error = await OADAServer.start(options as object).catch((caught: unknown) => caught);
    expect(error, JSON.stringify(options)).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ code: 'OADA_SERVER_OPTIONS', message: expect.stringMatching(message) });
  }
});

test('an address that is taken is refused, and the folder is let go of', async () => {
  await using server = await OADAServer.start();
  const path = await mkdtemp(join(tmpdir(), 'oada-server-'));
  const port = Number(new URL(server.url).port);
  for (let run = 0; run < 2; run += 1) {
    await expect(OADAServer.start({ port, path })).rejects.toMatchObject({
      code: 'OADA_SERVER_LISTEN',
      message: expect.stringMatching(/EADDRINUSE.*Choose another port/),
    });
  }
  await rm(path, { recursive: true });
});

test('a server without options has one token, which works', async () => {
  await using server = await OADAServer.start();
  expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect((await call(server, 'GET', '/bookmarks', { token: server.token })).status).toBe(200);
  expect((await server.client().get({ path: '/bookmarks' })).status).toBe(200);
});

test('stop() ends what is open, can be called twice, and no new connection is taken', async () => {
  const server = await OADAServer.start({ tokens });
  const wire = await Wire.open(server);
  const first = server.stop();
  expect(server.stop()).toBe(first);
  await Promise.all([first, wire.closed]);
  await server.stop();
  await expect(call(server, 'GET', '/bookmarks')).rejects.toThrow('ECONNREFUSED');
});

test('a socket that opens while the server stops does not keep it from stopping', async () => {
  const server = await OADAServer.start({ tokens });
  const opening = Array.from({ length: 20 }, () => Wire.open(server).catch(() => undefined));
  await Wire.open(server);
  await server.stop();
  for (const wire of await Promise.all(opening)) await wire?.closed;
});

test('a process whose server is stopped ends by itself', async () => {
  const path = await mkdtemp(join(tmpdir(), 'oada-server-'));
  const lines: string[] = [];
  const child = serverProcess(path, 'stop', (line) => lines.push(line));
  const [code] = await once(child, 'close');
  expect([code, lines.at(-1)]).toEqual([0, 'stopped']);
  await using server = await OADAServer.start({ path, tokens });
  expect((await call(server, 'GET', '/bookmarks/last')).body).toEqual({ words: 1 });
  await server.stop();
  await rm(path, { recursive: true });
});

test('pages of other origins may ask', async () => {
  await using server = await OADAServer.start({ tokens });
  const headers = {
    origin: 'https://example.org',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'authorization,content-type,if-match',
  };
  const preflight = await call(server, 'OPTIONS', '/bookmarks/x', { token: '', headers });
  expect(preflight.status).toBe(204);
  expect(preflight.headers['access-control-allow-origin']).toBe('*');
  expect(preflight.headers['access-control-allow-methods']).toContain('PUT');
  for (const name of ['authorization', 'content-type', 'if-match', 'x-oada-ensure-link']) {
    expect(preflight.headers['access-control-allow-headers']).toContain(name);
  }
  for (const path of ['/bookmarks', '/bookmarks/none', '/nowhere']) {
    const { headers: answered } = await call(server, 'GET', path, { headers });
    expect(answered['access-control-allow-origin'], path).toBe('*');
    expect(answered['access-control-expose-headers']).toContain('x-oada-rev');
  }
});

test('HEAD is GET without the body', async () => {
  await using server = await OADAServer.start({ tokens });
  for (const path of ['/bookmarks', '/bookmarks/none', '/bookmarks/_meta']) {
    const get = await call(server, 'GET', path);
    const head = await call(server, 'HEAD', path);
    expect([head.status, head.body]).toEqual([get.status, '']);
    for (const name of ['content-location', 'etag', 'x-oada-rev', 'content-type']) {
      expect(head.headers[name], `${name} of ${path}`).toBe(get.headers[name]);
    }
  }
});

test('a ping is answered, with any token', async () => {
  await using server = await OADAServer.start({ tokens });
  await using wire = await Wire.open(server);
  expect(await wire.ask({ method: 'ping', token: 'wrong', requestId: 'p' })).toEqual({
    requestId: 'p',
    status: 204,
  });
});
