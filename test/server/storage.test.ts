// The parts of the server by themselves, on a store that the tests can break.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import type { OADAClient } from '@oada/client';

import { createClient, InProcessConnection } from '../../lib/server/connection.js';
import { Graph } from '../../lib/server/graph.js';
import type { Resource } from '../../lib/server/resource.js';
import { MemoryStorage } from '../../lib/server/storage.js';
import type { ChangeRecord, Operation, Storage } from '../../lib/server/storage.js';
import { LevelStorage } from '../../lib/server/level-storage.js';
import { Users } from '../../lib/server/users.js';
import { createSocketServer } from '../../lib/server/websocket.js';

import type { Answered } from './wire.js';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A disk whose commits can be made to wait or to fail. */
class TestDisk implements Storage {
  readonly #level: LevelStorage;
  /** What the next commits do first. */
  before: (() => Promise<void>) | undefined;
  /** What the next reads do first. */
  beforeLoad: ((id: string) => Promise<void> | undefined) | undefined;
  failsToRead = false;
  commits = 0;

  constructor(level: LevelStorage) {
    this.#level = level;
  }

  async load(id: string): Promise<Resource | undefined> {
    await this.beforeLoad?.(id);
    return this.failsToRead ? Promise.reject(new Error('EIO')) : this.#level.load(id);
  }

  change(id: string, rev: number): Promise<ChangeRecord | undefined> {
    return this.failsToRead ? Promise.reject(new Error('EIO')) : this.#level.change(id, rev);
  }

  revisions(id: string): Promise<number[]> {
    return this.#level.revisions(id);
  }

  setting(key: string): ReturnType<Storage['setting']> {
    return this.#level.setting(key);
  }

  async commit(operations: readonly Operation[]): Promise<void> {
    this.commits += 1;
    await this.before?.();
    await this.#level.commit(operations);
  }

  close(): Promise<void> {
    return this.#level.close();
  }
}

interface Bench {
  readonly graph: Graph;
  readonly users: Users;
  readonly oada: OADAClient;
}

async function bench(storage: Storage, evicts: boolean): Promise<Bench> {
  const graph = new Graph(storage, { evicts, now: () => Date.now() / 1000 });
  const users = await Users.create(
    [{ token: 'sam', user: 'users/sam', bookmarks: 'resources/sams' }],
    graph,
    storage,
  );
  const connection = new InProcessConnection(graph, users, () => {});
  return { graph, users, oada: createClient(connection, { domain: 'http://nowhere', token: 'sam' }) };
}

async function diskBench(): Promise<Bench & { disk: TestDisk }> {
  const folder = await mkdtemp(join(tmpdir(), 'oada-storage-'));
  closing.push(() => rm(folder, { recursive: true }));
  const level = await LevelStorage.open(folder);
  closing.push(() => level.close());
  const disk = new TestDisk(level);
  return { disk, ...(await bench(disk, true)) };
}

const json = { contentType: 'application/json' };
const noSpace = (): Promise<void> => Promise.reject(new Error('ENOSPC: no space left on device'));

test('a write that cannot be stored is refused, told to nobody, and not there', async () => {
  const { disk, oada } = await diskBench();
  await oada.put({ path: '/bookmarks/l', data: { _id: 'resources/low', _rev: 0 } });
  await oada.put({ path: '/resources/low', data: { n: 1 }, ...json });
  const { changes } = await oada.watch({ path: '/bookmarks', type: 'tree' });
  disk.before = noSpace;
  for (const write of [
    () => oada.put({ path: '/resources/low', data: { n: 2 } }),
    () => oada.put({ path: '/bookmarks/l/deep/er', data: { n: 2 } }),
    () => oada.delete({ path: '/bookmarks/l' }),
    () => oada.delete({ path: '/resources/low' }),
    () => oada.post({ path: '/bookmarks', data: { n: 3 }, ...json }),
  ]) {
    await expect(write()).rejects.toMatchObject({ status: 500, message: expect.stringContaining('ENOSPC') });
  }
  disk.before = undefined;
  expect((await oada.get({ path: '/resources/low' })).data).toMatchObject({ n: 1, _rev: 1 });
  const { data } = await oada.get({ path: '/bookmarks' });
  expect(Object.keys(data as object).sort()).toEqual(['_id', '_meta', '_rev', '_type', 'l']);
  // The next one that can be stored has the next revision, and is the first that is told.
  await oada.put({ path: '/bookmarks/after', data: { n: 4 } });
  const { value } = await changes.next();
  expect(value).toMatchObject([{ body: { after: { n: 4 }, _rev: (data as { _rev: number })._rev + 1 } }]);
});

test('what one request reads from disk does not undo what another has written meanwhile', async () => {
  const { disk, oada: before } = await diskBench();
  const links = Array.from({ length: 70 }, (_, index) => {
    return [`k${String(index)}`, { _id: `resources/item${String(index)}`, _rev: 0 }] as const;
  });
  for (const [, { _id }] of links) await before.put({ path: `/${_id}`, data: { n: 1 }, ...json });
  await before.put({ path: '/resources/list', data: Object.fromEntries(links), ...json });

  const { oada } = await bench(disk, true); // with nothing in memory
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  let waiting = 0;
  let areRead = (): void => {};
  const read = new Promise<void>((resolve) => (areRead = resolve));
  disk.beforeLoad = (id) => {
    if (!/item\d+$/.test(id) || id === 'resources/item69') return undefined;
    if (++waiting === 64) areRead();
    return held;
  };
  const deleting = oada.delete({ path: '/resources/list' });
  await read; // the first of them; number 69 is among those that come after
  let store = (): void => {};
  const stored = new Promise<void>((resolve) => (store = resolve));
  let written = (): void => {};
  const isWritten = new Promise<void>((resolve) => (written = resolve));
  let deleted = (): void => {};
  const isDeleted = new Promise<void>((resolve) => (deleted = resolve));
  let commits = 0;
  disk.before = () => {
    if (++commits === 1) written();
    else deleted();
    return stored;
  };
  const writing = oada.put({ path: '/resources/item69', data: { n: 2 }, ...json });
  await isWritten;
  goOn();
  await isDeleted;
  store();
  const [{ headers }] = await Promise.all([writing, deleting]);
  const { data, headers: now } = await oada.get({ path: '/resources/item69' });
  expect(data).toMatchObject({ n: 2 });
  expect(now['x-oada-rev']).toBe(headers['x-oada-rev']);
});

test('writes that come while one fails, and build on it, fail as well', async () => {
  const { disk, oada } = await diskBench();
  await oada.put({ path: '/resources/r', data: { n: 0 }, ...json });
  let fail = (): void => {};
  const failing = new Promise<void>((_resolve, reject) => (fail = () => reject(new Error('EIO'))));
  let begun = 0;
  let allBegun = (): void => {};
  const begin = new Promise<void>((resolve) => (allBegun = resolve));
  disk.before = () => {
    if (++begun === 10) allBegun();
    return failing;
  };
  const writes = Array.from({ length: 10 }, (_, n) => oada.put({ path: '/resources/r', data: { n } }));
  await begin;
  const reading = oada.get({ path: '/resources/r' });
  await setImmediate(); // the server has it by then, and the writes it has seen are on their way to the disk
  fail();
  const settled = await Promise.allSettled([...writes, reading]);
  expect(settled.map(({ status }) => status)).toEqual(Array(11).fill('rejected'));
  disk.before = undefined;
  expect((await oada.get({ path: '/resources/r' })).data).toMatchObject({ n: 0, _rev: 1 });
});

test('a reader and a watcher are told only of what is stored', async () => {
  const { disk, oada } = await diskBench();
  await oada.put({ path: '/bookmarks', data: { a: { l: { _id: 'resources/r' } } } });
  await oada.put({ path: '/resources/r', data: { n: 0 }, ...json });
  const { changes } = await oada.watch({ path: '/resources/r', type: 'tree' });
  let store = (): void => {};
  const storing = new Promise<void>((resolve) => (store = resolve));
  let begin = (): void => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const commits = disk.commits;
  disk.before = () => {
    if (disk.commits === commits + 2) begin();
    return storing;
  };
  const order: string[] = [];
  const note = async (name: string, what: Promise<unknown>): Promise<void> => {
    await what;
    order.push(name);
  };
  const all = [
    note('write', oada.put({ path: '/resources/r', data: { n: 1 }, ...json })),
    note('link', oada.put({ path: '/bookmarks', data: { b: { _id: 'resources/r' } }, ...json })),
  ];
  await begun;
  all.push(
    note('read', oada.get({ path: '/resources/r' })),
    note(
      'read of what is not there',
      oada.get({ path: '/resources/r/none' }).catch(() => undefined),
    ),
    note('read over the new link', oada.get({ path: '/bookmarks/b' })),
    note('watch', changes.next()),
  );
  await oada.get({ path: '/shares' }); // is not held up by the others
  expect(order).toEqual([]);
  order.push('stored');
  store();
  await Promise.all(all);
  expect(order[0]).toBe('stored');
});

test('a disk that cannot be read is an error to the one who asked', async () => {
  const { disk, graph, oada, users } = await diskBench();
  const socket = await openSocket(graph, users);
  disk.failsToRead = true;
  await expect(oada.get({ path: '/resources/cold' })).rejects.toMatchObject({ status: 500 });
  for (const method of ['get', 'watch', 'put-watch', 'delete']) {
    const answer = await socket.ask({ method, path: '/resources/cold', data: {} });
    expect(answer, method).toMatchObject({ status: 500 });
  }
  // While a watch is resumed as well.
  const resumed = await socket.ask({ method: 'watch', path: '/bookmarks', rev: '0' });
  expect(resumed).toMatchObject({ status: 500 });
  await expect(oada.watch({ path: '/bookmarks', headers: { 'x-oada-rev': '0' } } as never)).rejects.toThrow(
    'EIO',
  );
  disk.failsToRead = false;
  expect((await oada.get({ path: '/bookmarks' })).status).toBe(200);
  socket.close();
});

test('what is not there takes no memory', async () => {
  const { graph, oada } = await bench(new MemoryStorage(), false);
  for (let at = 0; at < 30_000; at += 1) {
    await oada.get({ path: `/resources/none${String(at)}` }).catch(() => undefined);
  }
  expect(graph.size).toBeLessThan(26_000);
  const disk = await diskBench();
  for (let at = 0; at < 26_000; at += 50) {
    const reads = Array.from({ length: 50 }, (_, index) =>
      disk.oada.get({ path: `/resources/none${String(at + index)}` }),
    );
    await Promise.allSettled(reads);
  }
  expect(disk.graph.size).toBeLessThan(26_000);
});

test('a closed socket, however it went, leaves no watcher', async () => {
  const { graph, oada, users } = await bench(new MemoryStorage(), false);
  for (let rev = 0; rev < 200; rev += 1) await oada.put({ path: '/bookmarks/n', data: { rev } });
  for (const end of ['close', 'terminate', 'unwatch'] as const) {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openSocket(graph, users)));
    await Promise.all(sockets.map((socket) => socket.ask({ method: 'watch', path: '/bookmarks' })));
    expect(graph.watches.size).toBe(1);
    // Some are still being set up.
    for (const socket of sockets) socket.send({ method: 'watch', path: '/shares', rev: '0' });
    for (const socket of sockets) socket.send({ method: 'put-watch', path: '/resources/x', data: {} });
    if (end === 'unwatch') await Promise.all(sockets.map((socket) => socket.unwatchAll()));
    else for (const socket of sockets) socket[end]();
    if (end !== 'unwatch') await Promise.all(sockets.map((socket) => socket.closed));
    expect(graph.watches.size, end).toBe(0);
    for (const socket of sockets) socket.terminate();
  }
  const { changes } = await oada.watch({ path: '/bookmarks', type: 'tree' });
  expect(graph.watches.size).toBe(1);
  await oada.disconnect();
  await changes.next();
  expect(graph.watches.size).toBe(0);
});

interface Socket {
  ask(message: { method: string; path: string; data?: object; rev?: string }): Promise<Answered>;
  send(message: { method: string; path: string; data?: object; rev?: string }): string;
  unwatchAll(): Promise<void>;
  close(): void;
  terminate(): void;
  /** Settles when the server knows. */
  readonly closed: Promise<void>;
}

async function openSocket(graph: Graph, users: Users): Promise<Socket> {
  const sockets = createSocketServer(graph, users);
  const http = createServer();
  let isClosed = (): void => {};
  const closed = new Promise<void>((resolve) => (isClosed = resolve));
  http.on('upgrade', (request, stream, head) => {
    sockets.handleUpgrade(request, stream, head, (socket) => {
      sockets.emit('connection', socket, request);
      socket.on('close', isClosed);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const socket = new WebSocket(`ws://127.0.0.1:${String((http.address() as AddressInfo).port)}`);
  await new Promise((resolve) => socket.on('open', resolve));
  http.close();
  const asked: string[] = [];
  const answers = new Map<string, (frame: unknown) => void>();
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString());
    if (frame.headers !== undefined || frame.data === undefined) answers.get(frame.requestId)?.(frame);
  });
  const send: Socket['send'] = ({ rev, ...message }) => {
    const requestId = `r${String(asked.length)}`;
    asked.push(requestId);
    const headers = {
      authorization: 'Bearer sam',
      'content-type': 'application/json',
      ...(rev === undefined ? {} : { 'x-oada-rev': rev }),
    };
    socket.send(JSON.stringify({ requestId, headers, ...message }));
    return requestId;
  };
  const answerTo = (requestId: string, isLast: (frame: Answered) => boolean): Promise<unknown> =>
    new Promise((resolve) => answers.set(requestId, (frame) => isLast(frame) && resolve(frame)));
  return {
    send,
    ask: (message) => answerTo(send(message), (frame) => frame.headers !== undefined),
    unwatchAll: async () => {
      for (const requestId of [...asked]) {
        const done = answerTo(requestId, (frame) => frame.headers === undefined);
        socket.send(
          JSON.stringify({ requestId, method: 'unwatch', path: '/', headers: { authorization: '' } }),
        );
        await done;
      }
    },
    close: () => socket.close(),
    terminate: () => socket.terminate(),
    closed,
  };
}
