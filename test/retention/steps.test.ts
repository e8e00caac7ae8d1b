import { expect, onTestFinished, test } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { openStore } from '../../lib/oada/store.js';
import type { PrunedStep } from '../../lib/retention/prune.js';
import { around } from '../observed-store.js';
import { NAME, postResource, read, TOKEN } from '../setup.js';
import { Archive, cutOff, LAYOUTS, OLD, PATHS, YOUNG } from './setup.js';

/** Many jobs of one day. */
async function manyJobs(archive: Archive, count: number): Promise<string[]> {
  const ids = await Promise.all(Array.from({ length: count }, (_, index) => postJobOf(archive, index)));
  const links = Object.fromEntries(ids.map((id, index) => [`job-${String(index)}`, { _id: id }]));
  await archive.file({ key: 'first' });
  await archive.store.put(PATHS.classic.dayIndex('success', OLD), links);
  return ids;
}

async function postJobOf(archive: Archive, index: number): Promise<string> {
  return await postResource(archive.oada, {
    service: NAME,
    type: 'basic',
    config: { index },
    status: 'success',
  });
}

test('a day with a thousand jobs goes in steps, with pauses, and two requests at once at most', async () => {
  const archive = await Archive.start();
  const ids = await manyJobs(archive, 999);
  const steps: PrunedStep[] = [];
  let atOnce = 0;
  let most = 0;
  let deletes = 0;
  const deletesBefore: number[] = [];
  const store = around(archive.store, async ({ method }, send) => {
    most = Math.max(most, ++atOnce);
    if (method === 'delete') deletes++;
    try {
      return await send();
    } finally {
      atOnce--;
    }
  });
  archive.clock.onWait = () => {
    deletesBefore.push(deletes);
  };
  const onStep = (step: PrunedStep): void => {
    steps.push(step);
  };
  expect(await archive.prune({ success: '30d' }, { store, onStep })).toEqual({ jobs: 1000, days: 1 });
  expect(await archive.among(ids)).toEqual([]);
  expect(steps).toEqual(Array(10).fill({ status: 'success', count: 100, before: '2023-12-02' }));
  expect(deletesBefore).toEqual(Array.from({ length: 10 }, (_, index) => (index + 1) * 100));
  expect(archive.clock.waits).toEqual(Array(10).fill(1000));
  expect(most).toBe(2);
});

test('many days with few jobs are paused between as well', async () => {
  const archive = await Archive.start();
  for (let day = 0; day < 25; day++) {
    for (let job = 0; job < 5; job++)
      await archive.file({ date: `2023-10-${String(day + 1).padStart(2, '0')}` });
  }
  expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 125, days: 25 });
  expect(archive.clock.waits).toEqual([1000]);
});

test.each([1, 2, 50, 100, 120])(
  'once it is told to end, at delete %i, nothing more is begun',
  async (count) => {
    const archive = await Archive.start();
    const ids = await manyJobs(archive, 149);
    const ending = new AbortController();
    let begunAfter = 0;
    let deletes = 0;
    const store = around(archive.store, ({ method }, send) => {
      if (ending.signal.aborted) begunAfter++;
      if (method === 'delete' && ++deletes === count) ending.abort();
      return send();
    });
    const { jobs, days } = await archive.prune({ success: '30d' }, { store, signal: ending.signal });
    // What the other of the two at once was about to delete.
    expect(begunAfter).toBeLessThanOrEqual(1);
    expect(jobs).toBeGreaterThanOrEqual(count);
    expect(jobs).toBeLessThanOrEqual(count + 1);
    expect(days).toBe(0);
    expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 150 - jobs, days: 1 });
    expect(await archive.among(ids)).toEqual([]);
    expect(await archive.days()).toEqual([]);
  },
);

test('two that prune at the same time delete each job once, and leave nothing behind', async () => {
  const archive = await Archive.start();
  const ids = await manyJobs(archive, 149);
  for (const layout of LAYOUTS) {
    for (let job = 0; job < 20; job++) {
      ids.push(await archive.file({ layout, status: 'failure', failureType: 'luck', owner: 'users/ann' }));
    }
  }
  const both = await Promise.all([1, 2].map(() => archive.prune({ success: '30d', failure: '30d' })));
  expect(both.reduce((sum, { jobs }) => sum + jobs, 0)).toBe(190);
  expect(await archive.among(ids)).toEqual([]);
  expect(await archive.keys(PATHS.userJobs('users/ann'))).toEqual([]);
  for (const layout of LAYOUTS) {
    expect(await archive.days('success', layout)).toEqual([]);
    expect(await archive.days('failure', layout)).toEqual([]);
    expect(await archive.keys(PATHS[layout].typedDayIndexes('luck'))).toEqual([]);
  }
});

test.each(['in process', 'over a socket', 'over HTTP'])(
  '%s, a job that is queued again just before it would be deleted is not',
  async (way) => {
    const archive = await Archive.start();
    const id = await archive.file();
    const own = { domain: archive.server.url, token: TOKEN };
    const options = { clock: systemClock, timeout: 10_000, onRequest: () => undefined };
    const opened = openStore(way === 'over a socket' ? own : archive.oada, options);
    onTestFinished(() => opened.close());
    // Until it knows better, a store takes no other way to delete than HTTP.
    if (way !== 'over HTTP') await opened.check();
    const store = around(opened, async ({ method, path }, send) => {
      if (method === 'delete' && path === `/${id}`) await archive.store.put(path, { status: 'queued' });
      return await send();
    });
    expect(await archive.prune({ success: '30d' }, { store })).toEqual({ jobs: 0, days: 0 });
    expect(await archive.among([id])).toEqual([id]);
    expect(await archive.days()).toEqual([OLD]);
    await archive.store.put(`/${id}`, { status: 'success' });
    expect(await archive.prune({ success: '30d' }, { store: opened })).toEqual({ jobs: 1, days: 1 });
    expect(await archive.among([id])).toEqual([]);
  },
);

test('a job that is only written to meanwhile goes all the same', async () => {
  const archive = await Archive.start();
  const id = await archive.file();
  let writes = 0;
  const store = around(archive.store, async ({ method, path }, send) => {
    if (method === 'delete' && path === `/${id}` && writes++ === 0)
      await archive.store.put(path, { note: 1 });
    return await send();
  });
  expect(await archive.prune({ success: '30d' }, { store })).toEqual({ jobs: 1, days: 1 });
  expect(await archive.among([id])).toEqual([]);
});

test('a job that is filed under a day that is just going is not forgotten', async () => {
  const archive = await Archive.start();
  const first = await archive.file();
  const { _id } = await read(archive.oada, PATHS.classic.dayIndex('success', OLD));
  const late: string[] = [];
  const store = around(archive.store, async ({ method, path }, send) => {
    if (method === 'delete' && path === `/${_id}` && late.length === 0) late.push(await archive.file());
    return await send();
  });
  expect(await archive.prune({ success: '30d' }, { store })).toEqual({ jobs: 2, days: 1 });
  expect(late).toHaveLength(1);
  expect(await archive.among([first, ...late, _id])).toEqual([]);
});

test('a list that is written to all the time stays until the next time', async () => {
  const archive = await Archive.start();
  await archive.file();
  const { _id } = await read(archive.oada, PATHS.classic.dayIndex('success', OLD));
  const store = around(archive.store, async ({ method, path }, send) => {
    if (method === 'delete' && path === `/${_id}`) await archive.store.put(path, { note: 1 });
    return await send();
  });
  expect(await archive.prune({ success: '30d' }, { store })).toEqual({ jobs: 1, days: 0 });
  expect(archive.clock.waits).toHaveLength(5);
  expect(await archive.prune({ success: '30d' })).toEqual({ jobs: 0, days: 1 });
  expect(await archive.days()).toEqual([]);
});

test('nothing is deleted while the pending jobs are not known', async () => {
  const archive = await Archive.start();
  const id = await archive.file();
  const store = around(archive.store, ({ path }, send) => {
    if (path === PATHS.nested.pending) throw cutOff(path);
    return send();
  });
  await expect(archive.prune({ success: '30d' }, { store })).rejects.toMatchObject({
    code: 'OADA_JOBS_STORE_UNREACHABLE',
  });
  expect(await archive.among([id])).toEqual([id]);
  expect(await archive.days()).toEqual([OLD]);
});

/** What a crash may leave, and what has to stay. */
async function beforeCrash(): Promise<{ archive: Archive; old: string[]; young: string[]; again: string }> {
  const archive = await Archive.start();
  const old: string[] = [];
  const young: string[] = [];
  for (const layout of LAYOUTS) {
    old.push(await archive.file({ layout }), await archive.file({ layout }));
    old.push(await archive.file({ layout, status: 'failure', failureType: 'luck' }));
    old.push(await archive.file({ layout, status: 'failure', date: '2023-11-16' }));
    young.push(await archive.file({ layout, date: YOUNG }));
    young.push(await archive.file({ layout, status: 'failure', failureType: 'luck', date: YOUNG }));
    for (const status of ['success', 'failure'] as const)
      old.push((await read(archive.oada, PATHS[layout].dayIndex(status, OLD)))._id);
    old.push((await read(archive.oada, PATHS[layout].typedFailure('luck', OLD)))._id);
  }
  old.push(await archive.file({ owner: 'users/ann' }), await archive.file({ owner: 'users/ann' }));
  young.push(await archive.file({ owner: 'users/ann', date: YOUNG, key: 'still mine' }));
  const again = await archive.file();
  await archive.store.put(PATHS.classic.pending, { again: { _id: again } });
  return { archive, old, young, again };
}

test.each(['answer', 'request'] as const)(
  'whichever %s is the last of an instance, the next one leaves nothing behind',
  async (lost) => {
    const limits = { success: '30d', failure: '30d', keep: 100 } as const;
    let count = 0;
    for (let isCut = true; isCut; count++) {
      const { archive, old, young, again } = await beforeCrash();
      let requests = 0;
      isCut = false;
      const store = around(archive.store, async ({ path }, send) => {
        if (requests++ < count) return await send();
        if (requests === count + 1 && lost === 'answer') await send();
        isCut = true;
        throw cutOff(path);
      });
      const where = `with the ${lost} of request ${String(count + 1)} lost`;
      const first = await archive.prune(limits, { store }).catch(() => undefined);
      expect(first === undefined, where).toBe(isCut);
      // Whatever is there now has something that leads to it.
      const all = JSON.stringify(await archive.all());
      for (const id of await archive.among([...old, ...young])) expect(all, where).toContain(id);
      await archive.prune(limits);
      expect(await archive.among([...old, ...young, again]), where).toEqual([...young, again]);
      expect(JSON.stringify(await archive.all()), where).not.toContain('missing');
      expect(await archive.keys(PATHS.userJobs('users/ann')), where).toEqual(['still mine']);
      for (const layout of LAYOUTS) {
        expect(await archive.days('success', layout), where).toEqual([YOUNG]);
        expect(await archive.days('failure', layout), where).toEqual([YOUNG]);
        expect(await archive.keys(PATHS[layout].typedDayIndexes('luck')), where).toEqual([YOUNG]);
      }
    }
    // From the first request to the last, and no further.
    expect(count).toBeGreaterThan(60);
    expect(count).toBeLessThan(120);
  },
  120_000,
);
