import { expect, test } from 'vitest';

import { listJobs } from '../../lib/operator/list-jobs.js';
import type { ListRequest } from '../../lib/operator/list-jobs.js';
import { storeReader } from '../../lib/operator/lists.js';
import { ensureLists, jobOf, postJob, startServer } from '../setup.js';
import { operate } from './setup.js';

test('running jobs are listed a page at a time, to the end', async () => {
  const server = await startServer();
  const oada = server.client();
  const deps = operate(server);
  await ensureLists(oada);
  const ids = new Set<string>();
  for (const key of ['one', 'two', 'three'])
    ids.add(await postJob(oada, { ...jobOf('plough'), status: 'running' }, key));
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const page = await listJobs(deps, { list: 'running', limit: 2, after }, storeReader(deps));
    pages.push(page.jobs.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined && pages.length < 5);
  expect(pages.map(({ length }) => length)).toEqual([2, 1]);
  expect(new Set(pages.flat())).toEqual(ids);
});

test('what a list has no use for is refused', async () => {
  const deps = operate(await startServer());
  const refused: readonly (readonly [ListRequest, string])[] = [
    [{ list: 'success', failureType: 'timeout' }, "with the list 'failure'"],
    [{ list: 'pending', failureType: 'timeout' }, "with the list 'failure'"],
    [{ list: 'pending', day: '2026-01-31' }, "with the lists 'success' and 'failure'"],
    [{ list: 'running', day: '2026-01-31' }, "with the lists 'success' and 'failure'"],
  ];
  for (const [request, message] of refused)
    await expect(listJobs(deps, request, storeReader(deps))).rejects.toThrow(message);
});
