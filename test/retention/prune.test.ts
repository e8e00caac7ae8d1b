import { describe, expect, test } from 'vitest';

import { TREE } from '../../lib/paths.js';
import { around } from '../observed-store.js';
import type { Requested } from '../observed-store.js';
import { JOB_TYPE, NAME, OTHER_TOKEN, postResource, read } from '../setup.js';
import { Archive, LAYOUTS, OLD, PATHS, YOUNG } from './setup.js';

describe.each(LAYOUTS)('in the %s layout', (layout) => {
  test('a job goes with its day when the whole day is older than the limit', async () => {
    const archive = await Archive.start();
    const old = await archive.file({ layout, date: '2023-12-01' });
    const kept = await archive.file({ layout, date: '2023-12-02' });
    expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 1, days: 1 });
    expect(await archive.among([old, kept])).toEqual([kept]);
    expect(await archive.days('success', layout)).toEqual(['2023-12-02']);
  });

  test('each status has a limit of its own', async () => {
    const archive = await Archive.start();
    const success = await archive.file({ layout });
    const failure = await archive.file({ layout, status: 'failure' });
    await archive.prune({ failure: '30d' });
    expect(await archive.among([success, failure])).toEqual([success]);
    expect(await archive.days('failure', layout)).toEqual([]);
    await archive.prune({ success: '30d', failure: Infinity });
    expect(await archive.among([success])).toEqual([]);
  });

  test.each(['luck', 'no / luck', '..', '123', '_id'])(
    'a failure of type %j goes from both its lists',
    async (failureType) => {
      const archive = await Archive.start();
      const old = await archive.file({ layout, status: 'failure', failureType });
      const young = await archive.file({ layout, status: 'failure', failureType, date: YOUNG });
      const typed = PATHS[layout].typedFailure(failureType, OLD);
      const { _id } = await read(archive.oada, typed);
      expect(await archive.prune({ failure: '30d' })).toEqual({ jobs: 1, days: 2 });
      expect(await archive.among([old, _id, young])).toEqual([young]);
      expect(await archive.isThere(typed)).toBe(false);
      expect(await archive.keys(PATHS[layout].typedFailure(failureType, YOUNG))).toHaveLength(1);
    },
  );

  test('neither the lists nor the documents of a day leave anything behind', async () => {
    const archive = await Archive.start();
    await archive.file({ layout });
    const { _id } = await read(archive.oada, PATHS[layout].dayIndex('success', OLD));
    await archive.prune({ success: '30d' });
    expect(await archive.isThere(`/${_id}`)).toBe(false);
    expect(await read(archive.oada, PATHS[layout].dayIndexes('success'))).toEqual({});
  });

  test('a job that is pending again is not deleted, in whichever list it is', async () => {
    const archive = await Archive.start();
    const pending: string[] = [];
    for (const list of LAYOUTS) {
      const id = await archive.file({ layout });
      pending.push(id);
      await archive.store.put(PATHS[list].pending, { [`again-${list}`]: { _id: id } });
    }
    const other = await archive.file({ layout });
    expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 1, days: 1 });
    expect(await archive.among([...pending, other])).toEqual(pending);
    expect(await archive.days('success', layout)).toEqual([]);
  });

  test('a job that is not finished stays, and so does the link that leads to it, until it is', async () => {
    const archive = await Archive.start();
    const failureType = 'luck';
    const job = { layout, status: 'failure', failureType } as const;
    const stays = await archive.file({ ...job, key: 'stays' });
    const goes = await archive.file({ ...job, key: 'goes' });
    await archive.store.put(`/${stays}`, { status: 'queued' });
    expect(await archive.prune({ failure: '30d' })).toEqual({ jobs: 1, days: 0 });
    expect(await archive.among([stays, goes])).toEqual([stays]);
    expect(await archive.keys(PATHS[layout].dayIndex('failure', OLD))).toEqual(['stays']);
    expect(await archive.keys(PATHS[layout].typedFailure(failureType, OLD))).toEqual(['stays']);
    await archive.store.put(`/${stays}`, { status: 'failure' });
    expect(await archive.prune({ failure: '30d' })).toEqual({ jobs: 1, days: 2 });
    expect(await archive.among([stays])).toEqual([]);
  });

  test('of a job that belongs to somebody else only the link goes', async () => {
    const archive = await Archive.start();
    const kim = archive.server.client(OTHER_TOKEN);
    const document = { service: NAME, type: 'basic', config: {}, status: 'success' };
    const id = await postResource(kim, document);
    await archive.file({ layout, id });
    expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 0, days: 1 });
    expect(await archive.days('success', layout)).toEqual([]);
    expect(await read(kim, `/${id}`)).toMatchObject(document);
  });

  test('a job that ran again goes with the later of its days', async () => {
    const archive = await Archive.start();
    const document = {
      ...{ service: NAME, type: 'basic', status: 'failure' },
      updates: { '0': { status: 'failure', time: `${YOUNG}T12:00:00Z` } },
    };
    const id = await postResource(archive.oada, document);
    await archive.file({ layout, id, status: 'success', date: OLD });
    await archive.file({ layout, id, status: 'failure', date: YOUNG });
    expect(await archive.prune({ success: '30d', failure: '30d' })).toEqual({ jobs: 0, days: 1 });
    expect(await archive.among([id])).toEqual([id]);
    expect(await archive.days('success', layout)).toEqual([]);
    await archive.clock.advance(30 * 86_400_000);
    expect(await archive.prune({ success: '30d', failure: '30d' })).toEqual({ jobs: 1, days: 1 });
    expect(await archive.among([id])).toEqual([]);
  });

  test('a job that ran again long ago goes, though both its days go at once', async () => {
    const archive = await Archive.start();
    const updates = { '0': { status: 'success', time: `${OLD}T12:00:00Z` } };
    const id = await archive.file({
      ...{ layout, date: '2023-10-01' },
      document: { service: NAME, type: 'basic', status: 'success', updates },
    });
    await archive.file({ layout, id, date: OLD });
    expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 1, days: 2 });
    expect(await archive.among([id])).toEqual([]);
  });

  test('a job that its host filed a day early goes with that day', async () => {
    const archive = await Archive.start();
    const updates = { '0': { status: 'success', time: '2023-11-16T03:00:00Z' } };
    const document = { service: NAME, type: 'basic', status: 'success', updates };
    const id = await archive.file({ layout, document });
    await archive.file({ layout, date: '2023-11-16' });
    expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 2, days: 2 });
    expect(await archive.among([id])).toEqual([]);
  });

  test('a list that stands inside of its index goes as well', async () => {
    const archive = await Archive.start();
    const id = await archive.file({ layout, date: YOUNG });
    const inline = await postResource(archive.oada, { service: NAME, type: 'basic', status: 'success' });
    await archive.store.put(PATHS[layout].dayIndexes('success'), { [OLD]: { key: { _id: inline } } });
    expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 1, days: 1 });
    expect(await archive.among([id, inline])).toEqual([id]);
    expect(await archive.days('success', layout)).toEqual([YOUNG]);
  });
});

test('whatever else stands in a list goes with it', async () => {
  const archive = await Archive.start();
  const day = PATHS.classic.dayIndex('success', OLD);
  const keys = ['a b', '..', '.', '123', '__proto__', 'constructor', '%', 'x/y', 'x~y', '*', 'day-index'];
  const jobs = await Promise.all(keys.map((key) => archive.file({ key })));
  const others = { text: 'text', none: null, number: 5, list: [1], empty: {}, odd: { _id: 'users/sam' } };
  for (const [key, entry] of Object.entries(others)) await archive.fileEntry(day, key, entry);
  await archive.fileEntry(day, 'dangling', { _id: 'resources/none' });
  const { _id } = await read(archive.oada, day);
  expect(await archive.prune({ success: '30d' })).toEqual({ jobs: keys.length, days: 1 });
  expect(await archive.among([...jobs, _id])).toEqual([]);
  expect(await archive.days()).toEqual([]);
});

test('a key that no path can name stays for as long as its list has to', async () => {
  const archive = await Archive.start();
  const ids = [];
  for (const key of ['a b', '123', 'plain', 'stays']) ids.push(await archive.file({ key }));
  await archive.store.put(`/${ids[3]!}`, { status: 'running' });
  expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 3, days: 0 });
  expect(await archive.keys(PATHS.classic.dayIndex('success', OLD))).toEqual(['123', 'a b', 'stays']);
  await archive.store.put(`/${ids[3]!}`, { status: 'success' });
  expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 1, days: 1 });
});

test('a document that is no job is not deleted, though it was listed among them', async () => {
  const archive = await Archive.start();
  const field = await postResource(
    archive.oada,
    { area: 3, status: 'failure' },
    'application/vnd.farm.field.1+json',
  );
  const invalid = await postResource(archive.oada, { status: 'failure' }, JOB_TYPE);
  await archive.file({ id: field, status: 'failure' });
  await archive.file({ id: invalid, status: 'failure' });
  expect(await archive.prune({ failure: '30d' })).toEqual({ jobs: 1, days: 1 });
  expect(await archive.among([field, invalid])).toEqual([field]);
});

test('of a list that belongs to somebody else only the link goes', async () => {
  const archive = await Archive.start();
  const kim = archive.server.client(OTHER_TOKEN);
  const list = await postResource(kim, {});
  await archive.file({ date: YOUNG });
  await archive.store.put(PATHS.classic.dayIndexes('success'), { [OLD]: { _id: list } });
  expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 0, days: 1 });
  expect(await archive.days()).toEqual([YOUNG]);
  expect(await read(kim, `/${list}`)).toMatchObject({ _id: list });
});

test('what is no day of the index stays where it is', async () => {
  const archive = await Archive.start();
  await archive.file();
  await archive.store.put(PATHS.classic.dayIndexes('success'), { '2020': { a: 1 }, '0-notes': 'text' });
  await archive.prune({ success: '30d' });
  expect((await archive.days()).toSorted()).toEqual(['0-notes', '2020']);
});

test('the records of reports stay, and so do pending jobs', async () => {
  const archive = await Archive.start();
  await archive.store.ensure(PATHS.reportDay('rows', OLD), TREE);
  await archive.store.ensure(PATHS.reportHandled('rows', OLD), TREE);
  const id = await postResource(archive.oada, { service: NAME, type: 'basic' });
  await archive.store.put(PATHS.classic.pending, { waiting: { _id: id } });
  const before = await archive.all();
  const { jobs, reports } = before;
  await archive.file();
  await archive.prune({ success: '1d', failure: '1d', keep: 1 });
  expect(await archive.all()).toMatchObject({ jobs, reports });
});

describe('with a number of jobs to keep', () => {
  test('the days before those that hold so many go, whatever their layout', async () => {
    const archive = await Archive.start();
    const dates = ['2023-12-20', '2023-12-21', '2023-12-22', '2023-12-23'];
    for (const date of dates) for (const layout of LAYOUTS) await archive.file({ date, layout });
    await archive.prune({ keep: 5 });
    expect(await archive.days('success', 'classic')).toEqual(dates.slice(1));
    await archive.prune({ keep: { failure: 1 } });
    expect(await archive.days('success', 'nested')).toEqual(dates.slice(1));
    await archive.prune({ keep: { success: 4 } });
    expect(await archive.days('success', 'classic')).toEqual(dates.slice(2));
    expect(await archive.days('success', 'nested')).toEqual(dates.slice(2));
  });

  test('today and yesterday stay, since they may be written to', async () => {
    const archive = await Archive.start();
    const dates = ['2023-12-30', '2023-12-31', '2024-01-01', '2024-01-02'];
    for (const date of dates) await archive.file({ date });
    await archive.prune({ keep: 1 });
    expect(await archive.days()).toEqual(dates.slice(1));
  });

  test('the shorter of number and age holds', async () => {
    const archive = await Archive.start();
    const dates = ['2023-11-01', '2023-12-20', '2023-12-21', '2023-12-22'];
    for (const date of dates) await archive.file({ date });
    await archive.prune({ success: '30d', keep: 3 });
    expect(await archive.days()).toEqual(dates.slice(1));
    await archive.prune({ success: '30d', keep: 2 });
    expect(await archive.days()).toEqual(dates.slice(2));
    await archive.prune({ success: '1d', keep: 100 });
    expect(await archive.days()).toEqual([]);
  });

  test('days that were counted are not read again, and those that no number depends on never', async () => {
    const archive = await Archive.start();
    for (const date of ['2023-12-20', '2023-12-21', '2023-12-31', '2024-01-01']) await archive.file({ date });
    const requested: Requested[] = [];
    const store = around(archive.store, (request, send) => {
      requested.push(request);
      return send();
    });
    const counts = new Map<string, number>();
    const listsRead = (): string[] =>
      requested.splice(0).flatMap(({ path }) => /\/day-index\/(.+)$/.exec(path)?.[1] ?? []);
    await archive.prune({ keep: { success: 3 } }, { store, counts, dryRun: true });
    expect(listsRead()).toEqual(['2024-01-01', '2023-12-31', '2023-12-21']);
    await archive.prune({ keep: { success: 3 } }, { store, counts, dryRun: true });
    expect(listsRead()).toEqual(['2024-01-01', '2023-12-31']);
  });
});

test('lists that are young are not read, nor are their jobs', async () => {
  const archive = await Archive.start();
  for (let day = 10; day < 30; day++) await archive.file({ date: `2023-12-${String(day)}` });
  const requested: Requested[] = [];
  const store = around(archive.store, (request, send) => {
    requested.push(request);
    return send();
  });
  await archive.prune({ success: '30d', failure: '30d' }, { store });
  // The index of each status, and the types of failures, of both layouts.
  expect(requested.map(({ method }) => method)).toEqual(['get', 'get', 'get', 'get', 'get', 'get']);
});

test('nothing is pruned where no limit is set, and nothing asked for', async () => {
  const archive = await Archive.start();
  await archive.file({ date: '1999-01-01' });
  const requested: Requested[] = [];
  const store = around(archive.store, (request, send) => {
    requested.push(request);
    return send();
  });
  const unlimited = { age: Infinity, keep: Infinity };
  const retention = { success: unlimited, failure: unlimited };
  expect(await archive.prune({ keep: 1 }, { store, retention })).toEqual({ jobs: 0, days: 0 });
  expect(requested).toEqual([]);
});

test('a service without lists has nothing to prune', async () => {
  const archive = await Archive.start();
  expect(await archive.prune({ success: '30d', failure: '30d', keep: 10 })).toEqual({ jobs: 0, days: 0 });
});

test('a dry run counts what would go, and changes nothing', async () => {
  const archive = await Archive.start();
  for (const layout of LAYOUTS) {
    await archive.file({ layout });
    await archive.file({ layout, status: 'failure', failureType: 'luck' });
    await archive.file({ layout, date: YOUNG });
  }
  const stays = await archive.file({ date: '2023-11-10' });
  await archive.file({ date: '2023-11-10' });
  await archive.store.put(`/${stays}`, { status: 'running' });
  const before = await archive.all();
  const counted = await archive.prune({ success: '30d', failure: '30d' }, { dryRun: true });
  expect(await archive.all()).toEqual(before);
  expect(counted).toEqual({ jobs: 5, days: 6 });
  expect(await archive.prune({ success: '30d', failure: '30d' })).toEqual(counted);
});
