import { JobError } from '@oada/jobs';
import { expect, test } from 'vitest';

import { BASE, deferred, jobOf, keysOf, postJob, read, runJob } from '../../setup.js';
import { answer, button, openScene, row, told, useBrowser } from './setup.js';

useBrowser();

const REFUSED = { id: 'resources/1', code: 'OADA_JOBS_CONFIG', message: 'it is held' };

test('a job appears, tells how far it is, and finishes, and the page is not loaded again', async () => {
  const { service, oada, page, open, mishaps } = await openScene();
  const reached = deferred();
  const finish = deferred();
  service.on('plough', '1m', async (_job, { progress, log }) => {
    progress(3, 8, 'third furrow');
    await log.info('ploughing', { depth: 25 });
    reached.resolve();
    await finish.promise;
    return { furrows: 8 };
  });
  await service.start();
  await open('jobs/pending');
  await page.getByText('No job is pending').waitFor();
  await page.evaluate('window.isSame = true');

  const id = await postJob(oada, jobOf('plough', { field: 'north' }), 'the-job');
  await reached.promise;
  const line = row(page, 'the-job');
  await line.getByText('3 of 8').waitFor();
  await line.locator('.state.running').waitFor();
  await line.getByRole('link').click();
  await page.getByRole('heading', { name: 'plough' }).waitFor();
  await page.getByText('third furrow', { exact: true }).waitFor();
  await page.getByLabel('Timeline').getByText('{"depth":25}').waitFor();

  finish.resolve();
  await page.locator('.heading .state.success').waitFor();
  await page.getByLabel('Result', { exact: true }).first().getByText('"furrows"').waitFor();
  expect(await page.evaluate('window.isSame')).toBe(true);
  expect(await read(oada, `/${id}`)).toMatchObject({ status: 'success' });
  expect(mishaps).toEqual([]);
});

test('new failures are announced, and stand in the list when they are asked for', async () => {
  const { service, oada, page, open } = await openScene();
  service.on('sow', '1m', () => {
    throw new JobError('no seed', { type: 'empty' });
  });
  await service.start();
  await runJob(service, oada, jobOf('sow'), 'first');
  await open('jobs/failure');
  await row(page, 'first').getByText('no seed').waitFor();
  // The server follows the list of that day: before, it does not know what is new.
  await page.locator('.tab.failure .tally', { hasText: /^1/ }).waitFor();
  await runJob(service, oada, jobOf('sow'), 'second');
  await button(page, '1 new – show').waitFor();
  expect(await row(page, 'second').count()).toBe(0);
  await button(page, '1 new – show').click();
  await row(page, 'second').waitFor();
});

test('a failure is retried, once, and says by what', async () => {
  const { service, oada, page, open } = await openScene();
  let isBroken = true;
  service.on('reap', '1m', () => {
    if (isBroken) throw new JobError('belt is torn', { type: 'broken' });
    return {};
  });
  await service.start();
  const { _id } = await runJob(service, oada, jobOf('reap'), 'torn');
  isBroken = false;
  await open('jobs/failure');
  await row(page, 'torn').getByRole('link').click();
  await page.getByRole('region', { name: 'Error', exact: true }).getByText('belt is torn').waitFor();
  const filed = service.events.next('job:filed');
  await button(page, 'Retry').click();
  await told(page, '1 job to be retried.');
  const { jobId, outcome } = { outcome: 'success', ...(await filed) };
  expect([jobId === _id, outcome]).toEqual([false, 'success']);
  await page.getByText('has been retried by another job').waitFor();
  await page.getByRole('link', { name: 'Open that job' }).click();
  await page.locator('.heading .state.success').waitFor();
});

test('a running job is cancelled', async () => {
  const { service, oada, page, open } = await openScene();
  const running = deferred();
  service.on('mow', '1m', (_job, { signal }) => {
    running.resolve();
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  });
  await service.start();
  await open('jobs/running');
  const id = await postJob(oada, jobOf('mow'), 'endless');
  await running.promise;
  await row(page, 'endless').getByRole('link').click();
  await button(page, 'Cancel').click();
  const filed = service.events.next('job:filed');
  await answer(page, 'Cancel');
  await told(page, '1 job asked to stop.');
  await filed;
  await page.locator('.heading').getByText('cancelled').waitFor();
  expect(await read(oada, `/${id}`)).toMatchObject({ status: 'failure', failureType: 'cancelled' });
});

test('jobs that are selected are deleted, unless that is called off in time', async () => {
  const { service, oada, page, open } = await openScene();
  service.on('weed', '1m', () => ({}));
  await service.start();
  for (const key of ['a-1', 'a-2', 'a-3']) await runJob(service, oada, jobOf('weed'), key);
  await open('jobs/success');
  for (const key of ['a-1', 'a-3']) await row(page, key).getByRole('checkbox').check();
  await page.getByText('2 selected').waitFor();
  await button(page, 'Delete').click();
  await answer(page, 'Delete');
  await told(page, 'Deleting 2 jobs …');
  await button(page, 'Undo').click();
  await told(page, 'Nothing was done.');

  await button(page, 'Delete').click();
  await answer(page, 'Delete');
  await told(page, '2 jobs deleted.');
  await row(page, 'a-3').waitFor({ state: 'detached' });
  expect(await row(page, 'a-2').count()).toBe(1);
  const [day = ''] = Object.keys((await read(oada, `${BASE}/jobs-success`))['day-index'] as object);
  expect(keysOf(await read(oada, `${BASE}/jobs-success/day-index/${day}`))).toEqual(['a-2']);
});

test('whoever deletes a job leaves its page when it is gone, and stays where it could not be deleted', async () => {
  const { service, oada, page, open } = await openScene();
  service.on('weed', '1m', () => ({}));
  await service.start();
  await runJob(service, oada, jobOf('weed'), 'gone');
  await open('jobs/success');
  await row(page, 'gone').getByRole('link').click();
  await page.route(
    /\/jobs$/,
    (route) => route.fulfill({ json: { done: 0, jobs: [], problems: [REFUSED] } }),
    {
      times: 1,
    },
  );
  const read = page.waitForResponse(/\/job\//);
  for (const isRefused of [true, false]) {
    await button(page, 'Delete').click();
    await answer(page, 'Delete');
    await told(page, isRefused ? 'it is held' : '1 job deleted.');
    if (isRefused) await read;
    else await page.getByText('No success yet').waitFor();
    expect(new URL(page.url()).hash).toContain(isRefused ? '/job/' : '/jobs/success');
  }
});

test('what is searched for and filtered by stands in the address, and all that fits is retried', async () => {
  const { service, oada, page, open } = await openScene();
  let isBroken = true;
  service.on<{ why: string }>('sow', '1m', ({ config }) => {
    if (isBroken) throw new JobError(`failed: ${config.why}`, { type: config.why });
    return {};
  });
  await service.start();
  for (const [key, why] of Object.entries({ 'b-1': 'wet', 'b-2': 'dry', 'b-3': 'wet' }))
    await runJob(service, oada, jobOf('sow', { why }), key);
  isBroken = false;
  await open('jobs/failure');
  await row(page, 'b-2').waitFor();
  await page.getByLabel('Failure type').fill('wet');
  await row(page, 'b-2').waitFor({ state: 'detached' });
  expect(new URL(page.url()).hash).toContain('failureType=wet');
  await page.reload();
  await row(page, 'b-3').waitFor();
  expect([await row(page, 'b-1').count(), await row(page, 'b-2').count()]).toEqual([1, 0]);

  const filed = [service.events.next('job:filed')];
  await button(page, 'Retry all that fit').click();
  await page.getByRole('dialog').getByText('Those with failure type “wet”, 2 jobs now').waitFor();
  await answer(page, 'Retry all');
  await told(page, '2 jobs to be retried.');
  await Promise.all(filed);
  await page.getByRole('searchbox').fill('nothing has this');
  await page.getByText('None that fits').waitFor();
});
