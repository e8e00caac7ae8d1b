import { expect, test } from 'vitest';

import { eventsOf, read, startServer } from '../setup.js';
import { DAY, PATHS, Place, rowOf } from './setup.js';

async function makePlace(): Promise<Place> {
  return new Place(await startServer());
}

test('each job is in one period, also when the service was restarted between two', async () => {
  const place = await makePlace();
  const first = await place.start();
  const one = await place.file({}, first);
  const two = await place.file({ status: 'failure' }, first);
  const three = await place.file({ status: 'failure', failureType: 'custom-test' }, first);
  await place.clock.advanceTo('2024-01-01T07:01:00Z');
  expect(await place.sent()).toEqual([
    [rowOf(one), rowOf(two, 'Other Error'), rowOf(three, 'Another Error')],
  ]);
  const [email] = await place.emails();
  expect(email).toMatchObject({
    service: 'abalonemail',
    type: 'email',
    config: { from: 'noreply@example.org', attachments: [{ filename: 'test-report.csv', type: 'text/csv' }] },
  });
  const four = await place.file({}, first);
  await first.stop();
  const five = await place.file(); // nobody hears of it
  const second = await place.start();
  const six = await place.file({}, second);
  await place.clock.advanceTo('2024-01-02T07:01:00Z');
  const sent = await place.sent();
  expect(sent).toHaveLength(2);
  expect(sent.flat()).toHaveLength(6);
  expect(sent).toContainEqual([rowOf(four), rowOf(five), rowOf(six)]);
  expect(eventsOf(second.told, 'report:sent')).toMatchObject([
    { report: 'test-report', rows: 3, period: new Date('2024-01-02T07:00:00Z') },
  ]);
});

test('rows are written as jobs are filed, by the key of their link and under their day', async () => {
  const place = await makePlace();
  const instance = await place.start();
  await place.file({ key: 'mine', config: { first: { deep: [1, null] }, second: null } }, instance);
  expect(await read(place.oada, PATHS.reportDay('test-report', '2024-01-01'))).toMatchObject({
    mine: { First: { deep: [1, null] }, Second: null, Status: 'Success' },
  });
  await place.clock.advance(DAY);
  expect(await place.sent()).toEqual([[{ First: '{"deep":[1,null]}', Second: '', Status: 'Success' }]]);
});

test('of several instances one sends the e-mail, with the jobs of all', async () => {
  const place = await makePlace();
  const instances = [await place.start(), await place.start(), await place.start()];
  for (const instance of instances) await place.file({}, instance);
  await place.clock.advance(DAY);
  await place.clock.advance(DAY);
  expect(await place.sent()).toHaveLength(1);
  expect((await place.firsts()).toSorted()).toEqual(['first of job-1', 'first of job-2', 'first of job-3']);
  expect(instances.flatMap(({ told }) => eventsOf(told, 'report:sent'))).toHaveLength(1);
});

test('a period that another instance has closed and not sent is sent after a while', async () => {
  const place = await makePlace();
  const broken = await place.start({
    email: () => {
      throw new Error('no e-mail today');
    },
  });
  await place.file({}, broken);
  await place.clock.advanceTo('2024-01-01T07:00:05Z');
  expect(await place.sent()).toEqual([]);
  expect(eventsOf(broken.told, 'report:delayed')[0]).toMatchObject({
    report: 'test-report',
    error: new Error('no e-mail today'),
  });
  const other = await place.start();
  await place.clock.advance(29_000);
  expect(await place.sent()).toEqual([]);
  await place.clock.advance(2000);
  expect(await place.sent()).toEqual([[rowOf('job-1')]]);
  expect(eventsOf(other.told, 'report:sent')).toHaveLength(1);
  await place.clock.advance(DAY);
  expect(await place.sent()).toHaveLength(1);
});

test('periods that ended while nobody ran are closed at once, as one', async () => {
  const place = await makePlace();
  const before = await place.start();
  await before.stop();
  await place.file();
  await place.clock.advance(3 * DAY);
  await place.file();
  await place.clock.advance(20 * DAY);
  await place.file();
  const after = await place.start();
  expect(await place.sent()).toEqual([['job-1', 'job-2', 'job-3'].map((key) => rowOf(key))]);
  expect(eventsOf(after.told, 'report:sent')).toMatchObject([{ period: new Date('2024-01-23T07:00:00Z') }]);
});

test('what was finished before the report existed is in no period', async () => {
  const place = await makePlace();
  await place.file({ date: '2023-12-28' });
  await place.file({ layout: 'nested', status: 'failure' });
  const first = await place.start();
  await place.file({}, first);
  await first.stop();
  await place.start();
  await place.clock.advance(DAY);
  await place.clock.advance(DAY);
  expect(await place.firsts()).toEqual(['first of job-3']);
});

test('a job that is filed late, under a day of an earlier period, is in the next', async () => {
  const place = await makePlace();
  const instance = await place.start();
  await place.file({}, instance);
  await place.clock.advance(4 * DAY);
  await place.file({ date: '2024-01-01' });
  await place.file({ date: '2023-12-29' });
  await place.clock.advance(DAY);
  expect(await place.sent()).toHaveLength(2);
  expect(await place.sent()).toContainEqual([rowOf('job-3'), rowOf('job-2')]);
});

test('jobs of both layouts, that other programs filed, are found', async () => {
  const place = await makePlace();
  await place.start();
  await place.file({ layout: 'nested' });
  await place.file({ layout: 'nested', status: 'failure', failureType: 'custom-test' });
  await place.file({ status: 'failure', failureType: 'never heard of' });
  await place.clock.advance(DAY);
  expect(await place.firsts()).toHaveLength(3);
  const [rows] = await place.sent();
  expect(rows!.map(({ Status }) => Status).toSorted()).toEqual(['Another Error', 'Other Error', 'Success']);
});

test('a job that is filed twice is reported once, and a key that leads to another job later twice', async () => {
  const place = await makePlace();
  const instance = await place.start();
  await place.file({ key: 'mine' }, instance);
  const { _id: id } = await read(place.oada, `${PATHS.classic.dayIndex('success', '2024-01-01')}/mine`);
  await place.file({ key: 'mine', id, date: '2024-01-02' }, instance);
  await place.clock.advanceTo('2024-01-01T08:00:00Z');
  expect(await place.firsts()).toEqual(['first of mine']);
  await place.file({ key: 'mine', id, status: 'failure' });
  await place.file({ key: 'mine', config: { first: 'another' } });
  await place.clock.advance(DAY);
  expect(await place.firsts()).toHaveLength(2);
  expect(await place.firsts()).toContain('another');
});

test('a period without rows is closed without an e-mail, and with one where that is asked for', async () => {
  const place = await makePlace();
  const silent = await place.start();
  await place.start({ name: 'chatty', sendEmpty: true });
  await place.clock.advance(DAY);
  expect(eventsOf(silent.told, 'report:closed')).toMatchObject([{ report: 'test-report', rows: 0 }]);
  const emails = await place.emails();
  expect(emails).toHaveLength(1);
  const { content } = emails[0].config.attachments[0];
  expect(Buffer.from(content, 'base64').toString()).toBe('"First","Second","Status"\r\n');
});

test('periods end at the same hour of New York whatever the season', async () => {
  const place = await makePlace();
  await place.clock.advance(Date.parse('2024-03-08T00:00:00Z') - place.clock.now().getTime());
  const instance = await place.start({ timeZone: 'America/New_York', sendEmpty: true });
  await place.clock.advance(4 * DAY);
  expect(eventsOf(instance.told, 'report:sent').map(({ period }) => period.toISOString())).toEqual([
    '2024-03-08T12:00:00.000Z',
    '2024-03-09T12:00:00.000Z',
    '2024-03-10T11:00:00.000Z',
    '2024-03-11T11:00:00.000Z',
  ]);
});

test('a period that is a year long is waited for', async () => {
  const place = await makePlace();
  const instance = await place.start({ frequency: '0 0 1 1 *', timeZone: 'UTC' });
  await place.file({}, instance);
  await place.clock.advance(366 * DAY);
  expect(await place.sent()).toEqual([]);
  await place.clock.advance(3000);
  expect(await place.firsts()).toEqual(['first of job-1']);
}, 60_000);

test('a period ended by a clock that is years ahead does not end the report', async () => {
  const place = await makePlace();
  const instance = await place.start();
  await place.oada.put({
    path: PATHS.report('test-report'),
    data: { period: { id: 'theirs', end: '2099-01-01T00:00:00.000Z', sent: true, days: [] } },
    contentType: 'application/json',
  });
  await place.file({}, instance);
  await place.clock.advance(2 * DAY);
  expect(await place.firsts()).toEqual(['first of job-1']);
});

test('sendEmail closes a period now; the next ends when it would have', async () => {
  const place = await makePlace();
  const instance = await place.start();
  await place.file({}, instance);
  await place.clock.advance(1000);
  const sent = await instance.report.sendEmail();
  expect(sent).toMatchObject({ rows: 1, period: place.clock.now() });
  expect(await instance.report.sendEmail()).toMatchObject({ rows: 0, jobId: undefined });
  const [email] = await place.emails();
  expect(email._id).toBe(sent.jobId);
  await place.file({}, instance);
  await place.clock.advanceTo('2024-01-01T07:01:00Z');
  expect((await place.firsts()).toSorted()).toEqual(['first of job-1', 'first of job-2']);
});

test('what is more than fits into one e-mail follows in another', async () => {
  const place = await makePlace();
  const instance = await place.start();
  const text = 'x'.repeat(90_000);
  for (let count = 0; count < 100; count++)
    await place.file({ config: { first: text, second: count } }, instance);
  await place.clock.advance(DAY);
  const sent = await place.sent();
  expect(sent.map(({ length }) => length).toSorted((one, other) => one - other)).toEqual([7, 93]);
  expect(new Set(sent.flat().map(({ Second }) => Second)).size).toBe(100);
});

test('jobs that are filed while several instances close their periods are each in one', async () => {
  const place = await makePlace();
  place.clock.chances = [0, 0, 0.3, 0.9, 0.1];
  const instances = await Promise.all(
    [1, 2, 3].map(() => place.start({ frequency: '*/10 * * * * *', sendEmpty: true })),
  );
  const filed: string[] = [];
  for (let round = 0; round < 20; round++) {
    const fileSome = async (): Promise<void> => {
      for (const teller of [...instances, undefined]) {
        const key = `round-${String(round)}-${String(filed.length)}`;
        filed.push(key);
        await place.file({ key }, ...(teller === undefined ? [] : [teller]));
      }
    };
    await Promise.all([place.clock.advance(10_000), fileSome()]);
  }
  await place.clock.advance(20_000);
  const firsts = await place.firsts();
  expect(firsts.toSorted()).toEqual(filed.map((key) => `first of ${key}`).toSorted());
  expect(await place.emails()).toHaveLength(22);
});
