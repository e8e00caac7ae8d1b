import { afterEach, beforeEach, expect, test } from 'vitest';

import { OADAServer } from '@oada/jobs/server';

import { call, tokens, Wire } from './wire.js';
import type { ChangeFrame } from './wire.js';

let server: OADAServer;
beforeEach(async () => {
  server = await OADAServer.start({ tokens });
  await call(server, 'PUT', '/resources/w', { body: {} });
});
afterEach(() => server.stop());

const revOf = ({ change }: ChangeFrame): number => change[0].body._rev;

test('a resumed watch hears of each revision once and in order, while others write', async () => {
  await using writer = await Wire.open(server);
  const write = (count: number, name: string): Promise<unknown[]> =>
    Promise.all(
      Array.from({ length: count }, (_, index) =>
        writer.ask({ method: 'put', path: `/resources/w/${name}${String(index)}`, data: index }),
      ),
    );
  await write(200, 'before');
  for (const since of [1, 2, 100, 150]) {
    await using watcher = await Wire.open(server);
    const writing = write(50, `during${String(since)}-`);
    const watching = watcher.ask({
      method: 'watch',
      path: '/resources/w',
      headers: { 'x-oada-rev': String(since) },
    });
    await Promise.all([writing, watching]);
    const current = (await call(server, 'GET', '/resources/w/_rev')).body;
    const revs = (await watcher.rest()).map(revOf);
    expect(revs).toEqual(Array.from({ length: current - since }, (_, index) => since + 1 + index));
    // First a bare answer, then what was missed, then the full answer.
    expect(watcher.frames[0]).toEqual({ requestId: 'r1', status: 200 });
  }
});

test('a watch without a revision hears of all that comes after its answer', async () => {
  await using wire = await Wire.open(server);
  for (let run = 0; run < 30; run += 1) {
    const requestId = `watch${String(run)}`;
    const answering = wire.ask({ method: 'watch', path: '/resources/w', requestId });
    const writing = wire.ask({ method: 'put', path: '/resources/w/n', data: run });
    const since = Number((await answering).headers['x-oada-rev']);
    const reached = Number((await writing).headers['x-oada-rev']);
    const heard = (await wire.rest()).filter((frame) => frame.requestId.includes(requestId)).map(revOf);
    expect(heard).toEqual(reached > since ? [reached] : []);
    await wire.ask({ method: 'unwatch', requestId });
  }
});

test('a revision that is none, or not reached yet, is no error', async () => {
  await using wire = await Wire.open(server);
  for (const [index, rev] of ['abc', '-1', '1e3', '99999', '9'.repeat(400), ''].entries()) {
    const requestId = `w${String(index)}`;
    const answer = await wire.ask({
      method: 'watch',
      path: '/resources/w',
      requestId,
      headers: { 'x-oada-rev': rev },
    });
    expect(answer.status).toBe(200);
  }
  await call(server, 'PUT', '/resources/w/x', { body: 1 });
  expect((await wire.change()).requestId).toHaveLength(6);
});

test('a watch survives the DELETE of the link to its resource', async () => {
  await using wire = await Wire.open(server);
  await call(server, 'PUT', '/bookmarks/l', { body: { _id: 'resources/w', _rev: 0 } });
  await wire.ask({ method: 'watch', path: '/bookmarks/l' });
  expect((await wire.ask({ method: 'delete', path: '/bookmarks/l' })).status).toBe(204);
  await call(server, 'PUT', '/resources/w/x', { body: 1 });
  expect((await wire.change()).change[0].body).toMatchObject({ x: 1 });
});

test('a watch survives the DELETE of its resource: it hears of that and of the new one', async () => {
  await using wire = await Wire.open(server);
  await wire.ask({ method: 'watch', path: '/resources/w' });
  await wire.ask({ method: 'delete', path: '/resources/w' });
  expect((await wire.change()).change).toEqual([
    { resource_id: 'resources/w', path: '', body: null, type: 'delete' },
  ]);
  await call(server, 'PUT', '/resources/w', { body: { x: 1 } });
  expect((await wire.change()).change[0].body).toMatchObject({ x: 1, _rev: 2 });
});

test('two watches of one socket share a frame, those of two sockets do not', async () => {
  await using one = await Wire.open(server);
  await using other = await Wire.open(server);
  await one.ask({ method: 'watch', path: '/resources/w', requestId: 'a' });
  await one.ask({ method: 'watch', path: '/resources/w', requestId: 'b' });
  await one.ask({ method: 'watch', path: '/resources/w', requestId: 'b' }); // once more: no second entry
  await other.ask({ method: 'watch', path: '/resources/w', requestId: 'c' });
  await call(server, 'PUT', '/resources/w/x', { body: 1 });
  expect((await one.rest()).map(({ requestId }) => requestId)).toEqual([['a', 'b']]);
  expect((await other.rest()).map(({ requestId }) => requestId)).toEqual([['c']]);
  await one.ask({ method: 'unwatch', requestId: 'a' });
  await call(server, 'PUT', '/resources/w/x', { body: 2 });
  expect((await one.rest()).map(({ requestId }) => requestId)).toEqual([['b']]);
  await one.ask({ method: 'unwatch', requestId: 'b' });
  await one.ask({ method: 'unwatch', requestId: 'never there' });
  await call(server, 'PUT', '/resources/w/x', { body: 3 });
  expect(await one.rest()).toEqual([]);
});

test('an unwatch that comes while the watch is still set up ends it', async () => {
  await using wire = await Wire.open(server);
  wire.send({ method: 'watch', path: '/resources/w', requestId: 'w', headers: { 'x-oada-rev': '0' } });
  await wire.ask({ method: 'unwatch', requestId: 'w' });
  await wire.rest();
  await call(server, 'PUT', '/resources/w/x', { body: 1 });
  expect(await wire.rest()).toEqual([]);
});

test('the watch of a write hears of that write', async () => {
  await using wire = await Wire.open(server);
  await wire.ask({ method: 'put-watch', path: '/resources/new', data: { a: 1 }, requestId: 'put' });
  expect((await wire.change()).change[0].body).toMatchObject({ a: 1, _rev: 1 });
  await wire.ask({ method: 'delete-watch', path: '/resources/new/a', requestId: 'delete' });
  expect((await wire.change()).change[0]).toMatchObject({ type: 'delete', body: { a: null } });
  const { headers } = await wire.ask({
    method: 'post-watch',
    path: '/resources',
    data: {},
    requestId: 'post',
  });
  await call(server, 'PUT', `${String(headers['content-location'])}/x`, { body: 1 });
  expect(await wire.change()).toMatchObject({ requestId: ['post'] });
});

test('a watch of what is not there is no watch', async () => {
  await using wire = await Wire.open(server);
  for (const method of ['watch', 'get-watch', 'head-watch']) {
    expect((await wire.ask({ method, path: '/resources/none' })).status).toBe(404);
    expect((await wire.ask({ method, path: '/resources/w/none' })).status).toBe(404);
  }
  await call(server, 'PUT', '/resources/none', { body: {} });
  await call(server, 'PUT', '/resources/w/none', { body: 1 });
  expect(await wire.rest()).toEqual([]);
});

test('a change tells of the linked resources it came from, level by level', async () => {
  await using wire = await Wire.open(server);
  await call(server, 'PUT', '/resources/w', { body: { down: { l: { _id: 'resources/mid', _rev: 0 } } } });
  await call(server, 'PUT', '/resources/mid', { body: { l: { _id: 'resources/low', _rev: 0 } } });
  await call(server, 'PUT', '/resources/low', { body: {} });
  await wire.ask({ method: 'watch', path: '/resources/w' });
  await call(server, 'PUT', '/resources/low/x', { body: '"deep"' });
  const { change } = await wire.change();
  expect(change.map(({ resource_id: id, path }) => [id, path])).toEqual([
    ['resources/w', ''],
    ['resources/mid', '/down/l'],
    ['resources/low', '/down/l/l'],
  ]);
  expect(change[2].body).toMatchObject({ x: 'deep' });
  expect(await wire.rest()).toEqual([]);
});
