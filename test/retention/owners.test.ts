import { expect, test } from 'vitest';

import { around } from '../observed-store.js';
import type { Requested } from '../observed-store.js';
import { Archive, OLD, PATHS, YOUNG } from './setup.js';

const LIMIT = { success: '30d', failure: '30d' } as const;

test("a job goes out of its owner's list with its day, and the list is read once for all of them", async () => {
  const archive = await Archive.start();
  for (const owner of ['users/ann', 'users/bob']) {
    for (let job = 0; job < 5; job++) await archive.file({ owner, status: 'failure', failureType: 'luck' });
    await archive.file({ owner, key: `young of ${owner}`, date: YOUNG });
  }
  const requested: Requested[] = [];
  const store = around(archive.store, (request, send) => {
    requested.push(request);
    return send();
  });
  expect(await archive.prune(LIMIT, { store })).toMatchObject({ jobs: 10 });
  for (const owner of ['users/ann', 'users/bob']) {
    const list = PATHS.userJobs(owner);
    expect(await archive.keys(list)).toEqual([`young of ${owner}`]);
    expect(requested.filter(({ method, path }) => method === 'get' && path === list)).toHaveLength(1);
    expect(requested.filter(({ method, path }) => method === 'delete' && path.startsWith(list))).toHaveLength(
      5,
    );
  }
});

test("a key of the owner's list that leads to another job by now stays", async () => {
  const archive = await Archive.start();
  const old = await archive.file({ owner: 'users/ann', key: 'nightly' });
  await archive.file({ owner: 'users/ann', key: 'nightly', date: YOUNG });
  expect(await archive.prune(LIMIT)).toMatchObject({ jobs: 1 });
  expect(await archive.among([old])).toEqual([]);
  expect(await archive.keys(PATHS.userJobs('users/ann'))).toEqual(['nightly']);
});

test('a job whose owner has no list, or is none, goes all the same', async () => {
  const archive = await Archive.start();
  const ids = [await archive.file({ owner: 'users/ann' })];
  await archive.store.delete(PATHS.userJobs('users/ann'));
  const ended = { status: 'success', updates: { '0': { status: 'success', time: `${OLD}T12:00:00Z` } } };
  ids.push(
    await archive.file({ document: { service: 'x', type: 'basic', owner: { not: 'a user' }, ...ended } }),
  );
  expect(await archive.prune(LIMIT)).toMatchObject({ jobs: 2 });
  expect(await archive.among(ids)).toEqual([]);
});

test("a dry run takes nothing out of anybody's list", async () => {
  const archive = await Archive.start();
  await archive.file({ owner: 'users/ann', key: 'mine' });
  expect(await archive.prune(LIMIT, { dryRun: true })).toMatchObject({ jobs: 1 });
  expect(await archive.keys(PATHS.userJobs('users/ann'))).toEqual(['mine']);
});

test('the children of a job stay when it goes, until their own time has come', async () => {
  const archive = await Archive.start();
  const parent = await archive.file();
  const document = {
    ...{ service: 'x', type: 'basic', status: 'failure', parent: { _id: parent } },
    updates: { '0': { status: 'failure', time: `${OLD}T12:00:00Z` } },
  };
  const child = await archive.file({ document, status: 'failure' });
  await archive.prune({ success: '30d', failure: '365d' });
  expect(await archive.among([parent, child])).toEqual([child]);
  await archive.prune(LIMIT);
  expect(await archive.among([child])).toEqual([]);
});
