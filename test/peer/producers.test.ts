import type { OADAClient } from '@oada/client';
import { postJob } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import { BASE, countTo, JOB_TYPE, jobOf, NAME, newKey, postResource, read, startServer } from '../setup.js';
import type { Stored } from '../setup.js';
import {
  connected,
  done,
  EVERY,
  indexOf,
  keysAt,
  LAYOUTS,
  LIST_TYPE,
  PENDING,
  running,
  serviceOf,
  SOURCES,
  withWork,
} from './scene.js';
import type { Layout } from './scene.js';

/** The tree of a producer of 2.x, and that of one of 3 to 5. */
const TREES: Record<Layout, object> = {
  classic: { _type: LIST_TYPE, '*': { _type: JOB_TYPE } },
  nested: { _type: LIST_TYPE, pending: { _type: LIST_TYPE, '*': { _type: JOB_TYPE } } },
};

type TreeOf = NonNullable<Parameters<OADAClient['put']>[0]['tree']>;

function treeOf(layout: Layout): TreeOf {
  return {
    bookmarks: {
      _type: 'application/vnd.oada.bookmarks.1+json',
      services: {
        _type: 'application/vnd.oada.services.1+json',
        _rev: 0,
        '*': { _type: 'application/vnd.oada.service.1+json', _rev: 0, jobs: TREES[layout] },
      },
    },
  } as unknown as TreeOf;
}

async function putByTree(oada: OADAClient, layout: Layout, key: string): Promise<void> {
  const data = jobOf('echo', { say: key }) as Record<string, string>;
  await oada.put({ path: `${PENDING[layout]}/${key}`, data, tree: treeOf(layout) });
}

describe.each(EVERY)('in the %s layout, with %s, a service serves', (layout, source) => {
  test.each(['ws', 'http'] as const)(
    'a tree PUT over %s, which links a job before it writes it',
    async (way) => {
      const { server, service, oada } = await running(layout, source);
      const producer = await connected(server, way);
      for (let count = 0; count < 5; count++) {
        const key = newKey();
        const filed = service.events.next('job:filed', (event) => event.key === key);
        await putByTree(producer, layout, key);
        const { jobId, status } = await filed;
        expect(status).toBe('success');
        expect(await read(oada, `/${jobId}`)).toMatchObject({ result: key });
      }
    },
  );

  test('a producer that has made all lists before the service was there', async () => {
    const server = await startServer();
    const producer = await connected(server, 'ws');
    await putByTree(producer, layout, 'early');
    const service = withWork(await serviceOf(server, layout, source));
    const filed = service.events.next('job:filed');
    await service.start();
    expect(await filed).toMatchObject({ key: 'early', status: 'success' });
    expect(await keysAt(server.client(), indexOf(layout, 'success'))).toEqual(['early']);
  });

  test('jobs that are posted a hundred at a time, each once', async () => {
    const seen: string[] = [];
    const { server, service, oada } = await running(layout, source);
    service.on('once', 5000, (job) => seen.push(job.oadaId));
    const all = countTo(service, 'job:filed', 100);
    const producer = await connected(server, 'ws');
    const path = PENDING[layout];
    const job = { service: NAME, type: 'once' };
    const posted = await Promise.all(Array.from({ length: 100 }, () => postJob(producer, path, job)));
    await all;
    expect(seen.toSorted()).toEqual(posted.map(({ _id }) => _id).toSorted());
    const filed = await keysAt(oada, indexOf(layout, 'success'));
    expect(filed.toSorted()).toEqual(posted.map(({ key }) => key).toSorted());
    expect(await keysAt(oada, path)).toEqual([]);
  });
});

describe.each(SOURCES)(
  'who watches the nested lists through their parents hears of a job filed with %s',
  (source) => {
    test.each([
      ['echo', 'success', 'success'],
      ['fail', 'failure', 'failure'],
      ['refuse', 'failure', 'typed-failure/bad-document'],
    ])('%s: %s below jobs/%s', async (type, _status, list) => {
      const scene = await running('nested', source);
      await done(scene, 'nested', jobOf(type)); // the lists are there from then on
      const watcher = await connected(scene.server, 'ws');
      const { changes } = await watcher.watch({ path: `${BASE}/jobs/${list}`, type: 'tree' });
      const { key } = await done(scene, 'nested', jobOf(type));
      for await (const change of changes) {
        const told = change.find(({ body }) => body !== null && typeof body === 'object' && key in body);
        if (told === undefined) continue;
        expect(told.path).toBe(indexOf('nested', list).slice(`${BASE}/jobs/${list}`.length));
        break;
      }
    });
  },
);

test.each(LAYOUTS)(
  'a job is not told to the watchers of the %s lists before its result is there',
  async (layout) => {
    const scene = await running(layout, 'an address');
    await done(scene, layout, jobOf('echo'));
    const day = indexOf(layout, 'success');
    const watcher = await connected(scene.server, 'ws');
    const { changes } = await watcher.watch({ path: day });
    const { key } = await done(scene, layout, jobOf('echo', { say: 'here' }));
    for await (const { body } of changes) {
      const links = body as Record<string, { _id?: string } | undefined>;
      if (links[key] === undefined) continue;
      const job: Stored = await read(watcher, `${day}/${key}`);
      expect(job).toMatchObject({ status: 'success', result: 'here' });
      break;
    }
  },
);

test('one service serves producers of both generations at a time', async () => {
  const { server, service, oada } = await running('nested', 'a client over ws');
  const producer = await connected(server, 'http');
  const keys: Record<Layout, string[]> = { classic: [], nested: [] };
  for (let count = 0; count < 5; count++) {
    for (const layout of LAYOUTS) {
      const key = newKey();
      keys[layout].push(key);
      const filed = service.events.next('job:filed', (event) => event.key === key);
      const _id = await postResource(producer, jobOf('echo'), LIST_TYPE);
      await producer.put({ path: `${PENDING[layout]}/${key}`, data: { _id }, contentType: JOB_TYPE });
      await filed;
    }
  }
  for (const layout of LAYOUTS) expect(await keysAt(oada, indexOf(layout, 'success'))).toEqual(keys[layout]);
});
