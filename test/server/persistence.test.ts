import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { OADAServer, ServerError } from '@oada/jobs/server';

import { call, serverProcess, tokens, Wire } from './wire.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oada-server-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('every acknowledged write survives SIGKILL, and each write is there as a whole or not at all', async () => {
  const acknowledged: string[] = [];
  const writer = serverProcess(folder, 'write', (line) => {
    if (!line.startsWith('http')) acknowledged.push(line);
    if (acknowledged.length === 150) writer.kill('SIGKILL');
  });
  await once(writer, 'close');
  expect(acknowledged.length).toBeGreaterThanOrEqual(150);

  await using server = await OADAServer.start({ path: folder, tokens });
  const { body: bookmarks } = await call(server, 'GET', '/bookmarks');
  const list: Record<string, { _id: string; _rev: number }> = bookmarks.list;
  for (const key of acknowledged) expect(list[key], key).toEqual({ _id: `resources/job${key}`, _rev: 2 });

  // Every link shows its target's revision, in memory and in the log; and no revision is without its change.
  const log = new Map<string, number>();
  for (let rev = 1; rev <= bookmarks._rev; rev += 1) {
    const { body: change } = await call(server, 'GET', `/bookmarks/_meta/_changes/${String(rev)}`);
    expect(change[0], `change ${String(rev)}`).toMatchObject({
      resource_id: 'resources/sams',
      body: { _rev: rev },
    });
    for (const [key, link] of Object.entries<{ _rev: number }>(change[0].body.list ?? {}))
      log.set(key, link._rev);
    for (const nested of change.slice(1))
      expect(nested.body).toMatchObject({ done: { n: expect.any(Number) } });
  }
  expect((await call(server, 'GET', `/bookmarks/_meta/_changes`)).body).not.toHaveProperty(
    String(Number(bookmarks._rev) + 1),
  );
  for (const [key, { _rev: rev }] of Object.entries(list)) {
    const { body: job } = await call(server, 'GET', `/bookmarks/list/${key}`);
    expect(job._rev, key).toBe(rev);
    expect('done' in job, key).toBe(rev === 2);
    expect(log.get(key), key).toBe(rev === 2 ? 2 : 0); // a link's own change has the revision that was sent
  }
  // A job that was written, but whose link was not, is whole as well; and the folder can be written to.
  expect((await call(server, 'PUT', '/bookmarks/list/0-0/more', { body: 1 })).status).toBe(201);
});

test('everything is there after a restart, and goes on from there', async () => {
  const meta = async (server: OADAServer): Promise<unknown> =>
    (await call(server, 'GET', '/bookmarks/_meta')).body;
  const before = await OADAServer.start({ path: folder, tokens });
  await call(before, 'PUT', '/resources/low', { body: { '': { '': 1 }, 'a/b~c': [1, { x: null }], e: {} } });
  await call(before, 'PUT', '/bookmarks', { body: { l: { _id: 'resources/low', _rev: 0 } } });
  await call(before, 'PUT', '/resources/b', {
    body: new Uint8Array([1, 2]),
    headers: { 'content-type': 'image/png' },
  });
  await call(before, 'PUT', '/resources/gone', { body: {} });
  await call(before, 'DELETE', '/resources/gone');
  const stored = [
    await meta(before),
    (await call(before, 'GET', '/resources/low')).body,
    (await call(before, 'GET', '/shares')).body,
  ];
  await before.stop();

  await using server = await OADAServer.start({ path: folder, tokens });
  expect([
    await meta(server),
    (await call(server, 'GET', '/resources/low')).body,
    (await call(server, 'GET', '/shares')).body,
  ]).toEqual(stored);
  expect((await call(server, 'GET', '/resources/b')).body).toBe('\u0001\u0002');
  expect((await call(server, 'GET', '/resources/gone')).status).toBe(404);
  expect((await call(server, 'PUT', '/resources/gone', { body: {} })).headers['x-oada-rev']).toBe('2');
  await using wire = await Wire.open(server);
  await wire.ask({ method: 'watch', path: '/bookmarks', headers: { 'x-oada-rev': '1' } });
  await call(server, 'PUT', '/resources/low/more', { body: 1 });
  expect((await wire.change()).change[0].body).toMatchObject({ l: { _id: 'resources/low' }, _rev: 2 });
  expect((await wire.change()).change[1]).toMatchObject({ path: '/l', body: { more: 1, _rev: 2 } });
});

test('a document is the same after a restart, however long it is, was, and becomes', async () => {
  const long = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`k${String(at)}`, 'x'.repeat(50)]));
  const short = { 'a\0b': 1, e: {}, __proto__x: [{ b: null }] };
  const writes: readonly (readonly [string, string, unknown?])[] = [
    ['PUT', '/resources/r', short],
    ['PUT', '/resources/r', { long }],
    ['PUT', '/resources/r/e/f', { g: 1 }],
    ['DELETE', '/resources/r/long'],
    ['PUT', '/resources/r', { again: short }],
    ['DELETE', '/resources/r'],
    ['PUT', '/resources/r', short],
    ['PUT', '/resources/r', { long, last: {} }],
    ['DELETE', '/resources/r/long/k1'],
  ];
  for (const [method, path, body] of writes) {
    const read = async (server: OADAServer): Promise<unknown> => {
      const { status, body: document } = await call(server, 'GET', '/resources/r');
      return { status, ...(status === 200 && { document }) };
    };
    const server = await OADAServer.start({ path: folder, tokens });
    await call(server, method, path, body === undefined ? {} : { body });
    const before = await read(server);
    await server.stop();
    const after = await OADAServer.start({ path: folder, tokens });
    expect(await read(after), `${method} ${path}`).toEqual(before);
    await after.stop();
  }
});

test('a folder of the earlier format is read, and written on in the present one', async () => {
  const earlier = await OADAServer.start({ path: folder, tokens });
  await call(earlier, 'PUT', '/bookmarks', { body: { l: { _id: 'resources/r', _rev: 0 } } });
  await call(earlier, 'PUT', '/resources/r', { body: { a: { '': 1, b: [2] }, e: {} } });
  const { body: document } = await call(earlier, 'GET', '/resources/r');
  await earlier.stop();
  // In format 1 each leaf had a key of its own.
  const level = new ClassicLevel(folder);
  for (const [id, stored] of await level.iterator({ gte: 'r', lt: 's' }).all()) {
    const { document: _, ...header } = JSON.parse(stored);
    await level.put(id, JSON.stringify(header));
  }
  await level.put('d\0resources/r\0a\0', '1');
  await level.put('d\0resources/r\0a\0b', '[2]');
  await level.put('d\0resources/r\0e', '{}');
  await level.put('d\0resources/sams\0l\0_id', '"resources/r"');
  await level.put('d\0resources/sams\0l\0_rev', '1');
  await level.put('s\0format', '1');
  await level.close();

  const server = await OADAServer.start({ path: folder, tokens });
  expect((await call(server, 'GET', '/bookmarks/l')).body).toEqual(document);
  await call(server, 'DELETE', '/bookmarks/l/a/b');
  await call(server, 'PUT', '/bookmarks/l', { body: { n: 3 } });
  const { body: written } = await call(server, 'GET', '/resources/r');
  expect(written).toMatchObject({ a: { '': 1 }, e: {}, n: 3, _rev: 3 });
  await server.stop();
  await using again = await OADAServer.start({ path: folder, tokens });
  expect((await call(again, 'GET', '/bookmarks/l')).body).toEqual(written);
  expect((await call(again, 'GET', '/bookmarks')).body).toMatchObject({ l: { _id: 'resources/r', _rev: 3 } });
});

test('a user without given bookmarks has the same ones after a restart', async () => {
  const options = { path: folder, tokens: [{ token: 'abc' }] };
  const before = await OADAServer.start(options);
  await call(before, 'PUT', '/bookmarks/a', { token: 'abc', body: 1 });
  await before.stop();
  await using server = await OADAServer.start(options);
  expect((await call(server, 'GET', '/bookmarks/a', { token: 'abc' })).body).toBe(1);
});

test('bookmarks of another user are refused, and the folder is let go of', async () => {
  const before = await OADAServer.start({ path: folder, tokens });
  await before.stop();
  const stolen = [{ token: 'eve', user: 'users/eve', bookmarks: 'resources/sams' }];
  await expectCode(folder, 'OADA_SERVER_OPTIONS', /resources\/sams belongs to users\/sam/, stolen);
  await (await OADAServer.start({ path: folder, tokens })).stop();
});

async function expectCode(path: string, code: string, message: RegExp, who = tokens): Promise<void> {
  const error = await OADAServer.start({ path, tokens: who }).then(
    (server) => server.stop(),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ServerError);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
}

test('a folder in use is refused, by this process or by another', async () => {
  await using _server = await OADAServer.start({ path: join(folder, 'a'), tokens });
  await expectCode(join(folder, 'a'), 'OADA_SERVER_FOLDER_LOCKED', /in use by another server/);

  let isReady = (): void => {};
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const other = serverProcess(join(folder, 'b'), 'wait', () => isReady());
  await ready;
  await expectCode(join(folder, 'b'), 'OADA_SERVER_FOLDER_LOCKED', /in use by another server/);
  other.kill('SIGKILL');
  await once(other, 'close');
  await (await OADAServer.start({ path: join(folder, 'b'), tokens })).stop();
});

test('a damaged folder is refused', async () => {
  await (await OADAServer.start({ path: folder, tokens })).stop();
  for (const name of await readdir(folder)) {
    if (name.startsWith('MANIFEST')) await truncate(join(folder, name), 5);
  }
  await expectCode(folder, 'OADA_SERVER_FOLDER_DAMAGED', /is damaged .*(backup|empty folder)/);
});

test('a folder with a file missing or overwritten is refused', async () => {
  await (await OADAServer.start({ path: folder, tokens })).stop();
  await writeFile(join(folder, 'CURRENT'), 'garbage');
  await expectCode(folder, 'OADA_SERVER_FOLDER_DAMAGED', /is damaged/);
});

test('a file in place of a folder is refused, and stays as it is', async () => {
  const file = join(folder, 'file');
  await writeFile(file, 'precious');
  await expectCode(file, 'OADA_SERVER_FOLDER_UNUSABLE', /Cannot use .*file/);
  await expectCode(join(file, 'below'), 'OADA_SERVER_FOLDER_UNUSABLE', /Cannot use .*below/);
  expect(await readFile(file, 'utf8')).toBe('precious');
});

test('a folder of another format, or of another program, is refused', async () => {
  const level = new ClassicLevel(folder);
  await level.put('s\0format', '3');
  await level.close();
  await expectCode(
    folder,
    'OADA_SERVER_FOLDER_UNUSABLE',
    /is of format 3; this version reads formats up to 2/,
  );

  const foreign = new ClassicLevel(join(folder, 'foreign'));
  await foreign.put('something', 'else');
  await foreign.close();
  await expectCode(join(folder, 'foreign'), 'OADA_SERVER_FOLDER_UNUSABLE', /holds data of another program/);
});
