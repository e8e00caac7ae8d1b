import { reportOnItem } from '@oada/jobs';
import { expect, test } from 'vitest';

import { eventsOf, read, startServer, TOKEN } from '../setup.js';
import { DAY, optionsOf, PATHS, Place } from './setup.js';
import type { Requested } from '../observed-store.js';

async function makePlace(): Promise<Place> {
  return new Place(await startServer());
}

function jobsRead(requested: readonly Requested[]): number {
  return requested.filter(({ method, path }) => method === 'get' && path.startsWith('/resources/')).length;
}

test('a type is the whole type: others are neither reported nor read', async () => {
  const place = await makePlace();
  const instance = await place.start({ type: 'basic' });
  await place.file({ type: 'bas' }, instance);
  await place.file({ type: 'basics' }, instance);
  await place.file({ type: 'basic' }, instance);
  await place.file({ type: 'basic', queue: 'of somebody else' }, instance);
  expect(jobsRead(instance.requested)).toBe(1);
  await place.clock.advance(DAY);
  expect(await place.firsts()).toEqual(['first of job-3', 'first of job-4']);
  expect(jobsRead(instance.requested)).toBe(2); // that of the other queue, when the period ended
});

test('several types are a list', async () => {
  const place = await makePlace();
  const instance = await place.start({ type: ['one', 'two'] });
  for (const type of ['one', 'two', 'three', 'onetwo']) await place.file({ type }, instance);
  for (const type of ['one', 'two', 'three', 'onetwo']) await place.file({ type });
  await place.clock.advance(DAY);
  expect((await place.firsts()).toSorted()).toEqual([1, 2, 5, 6].map((one) => `first of job-${one}`));
});

test('a job that is not in the report is read once, by whichever instance', async () => {
  const place = await makePlace();
  place.clock.chances = [0.1, 0.9];
  const instances = [await place.start({ type: 'one' }), await place.start({ type: 'one' })];
  for (let count = 0; count < 5; count++) await place.file({ type: 'two' });
  await place.clock.advance(5 * DAY);
  const reads = instances.reduce((sum, { requested }) => sum + jobsRead(requested), 0);
  expect(reads).toBe(5);
});

test('a job that several reports want is read once', async () => {
  const place = await makePlace();
  const instance = await place.start();
  instance.reports.add(optionsOf({ name: 'another' }));
  place.running++;
  await place.clock.idle();
  await place.file({}, instance);
  expect(jobsRead(instance.requested)).toBe(1);
  await place.clock.advance(DAY);
  expect(await place.sent()).toHaveLength(2);
});

test('the filter says which jobs are in the report', async () => {
  const place = await makePlace();
  const filter = ({ status }: { status?: unknown }): boolean => status === 'failure';
  const instance = await place.start({ filter });
  await place.file({}, instance);
  await place.file({ status: 'failure' }, instance);
  await place.file();
  await place.file({ status: 'failure' });
  await place.clock.advance(DAY);
  expect(await place.firsts()).toEqual(['first of job-2', 'first of job-4']);
});

test('a filter that throws is told of, without tokens, and the job is in the report', async () => {
  const place = await makePlace();
  const filter = (): boolean => {
    throw new Error(`no idea, ${TOKEN}`);
  };
  const instance = await place.start({ filter });
  await place.file({}, instance);
  await place.file();
  await place.clock.advance(DAY);
  expect(await place.firsts()).toEqual(['first of job-1', 'first of job-2']);
  const failures = eventsOf(instance.told, 'filter:failed');
  expect(failures).toMatchObject([{ report: 'test-report' }, {}]);
  expect(failures[0]!.error.message).toBe('no idea, [token]');
});

test('an e-mail that cannot be made is tried again until it can', async () => {
  const place = await makePlace();
  const made = [
    () => {
      throw new Error(`no e-mail, ${TOKEN}`);
    },
    () => ({ from: 'nobody', to: 'kim@example.org' }),
    () => 'no object',
    async () => ({ from: 'sam@example.org', to: ['kim@example.org'], subject: 'At last' }),
  ];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what JavaScript may return
  const instance = await place.start({ email: () => made.shift()!() as any });
  await place.file({}, instance);
  await place.clock.advance(DAY);
  const delays = eventsOf(instance.told, 'report:delayed');
  expect(delays.map(({ error }) => error.message)).toEqual([
    'no e-mail, [token]',
    expect.stringMatching(/is no e-mail: .*from/),
    expect.stringContaining('to return an object'),
  ]);
  expect(delays[1]!.retryIn).toBeGreaterThan(delays[0]!.retryIn);
  const [email] = await place.emails();
  expect(email.config.attachments).toMatchObject([{ filename: 'test-report.csv', type: 'text/csv' }]);
  expect(await place.firsts()).toEqual(['first of job-1']);
});

test('further attachments are left as they are', async () => {
  const place = await makePlace();
  const other = { filename: 'logo.png', type: 'image/png', content: 'AAAA' };
  const email = () => ({
    from: 'sam@example.org',
    to: 'kim@example.org',
    attachments: [{ filename: 'r.csv', type: 'text/csv', content: '' }, other],
  });
  const instance = await place.start({ email });
  await place.file({}, instance);
  await place.clock.advance(DAY);
  const [{ config }] = await place.emails();
  expect(config.attachments).toMatchObject([{ filename: 'r.csv' }, other]);
});

test('reportOnItem writes a row, by the paths that @oada/jobs 3 to 5 give', async () => {
  const place = await makePlace();
  const { report } = await place.start({ type: 'basic' });
  const job = { type: 'basic', config: { first: 1, second: 2 } };
  await reportOnItem(report, job, '/day-index/2024-01-01/good');
  await reportOnItem(report, job, '/custom-test/day-index/2024-01-01/bad');
  await reportOnItem(report, { ...job, type: 'other' }, '/day-index/2024-01-01/not-mine');
  await expect(reportOnItem(report, job, '/2024-01-01/bad')).rejects.toThrow(/day-index/);
  const day = await read(place.oada, PATHS.reportDay('test-report', '2024-01-01'));
  expect(day).toMatchObject({
    good: { First: 1, Second: 2, Status: 'Success' },
    bad: { Status: 'Another Error' },
  });
  expect(day).not.toHaveProperty('not-mine');
  await place.clock.advance(2 * DAY);
  expect(await place.firsts()).toEqual(['1', '1']);
});

test('a stopped report writes and sends nothing until it is started again', async () => {
  const place = await makePlace();
  const instance = await place.start();
  await instance.report.stop();
  place.running--;
  await expect(instance.report.sendEmail()).rejects.toThrow(/does not run/);
  const asked = instance.requested.length;
  await place.file({}, instance);
  await place.clock.advance(2 * DAY);
  expect(instance.requested).toHaveLength(asked);
  instance.report.start();
  place.running++;
  await place.clock.idle();
  expect(await place.firsts()).toEqual(['first of job-1']);
});

test('a name is taken once', async () => {
  const place = await makePlace();
  const { reports, report } = await place.start();
  expect(() => reports.add(optionsOf())).toThrow(/already/);
  expect(reports.get('test-report')).toBe(report);
  expect(reports.get('none')).toBeUndefined();
});

test('jobs whose documents are gone, and what is no link, hold nothing up', async () => {
  const place = await makePlace();
  const instance = await place.start();
  await place.file({ id: 'resources/never-made' }, instance);
  await place.file({ key: 'sane' }, instance);
  const path = PATHS.classic.dayIndex('success', '2024-01-01');
  await place.oada.put({
    path,
    data: { text: 'no link', list: [1], other: { _id: 'users/sam' } },
    contentType: 'application/json',
  });
  await place.clock.advance(DAY);
  expect(await place.firsts()).toEqual(['first of sane']);
});
