import { expect, test } from 'vitest';

import { BreakingClient } from '../crash/breaking-connection.js';
import type { Lost } from '../crash/breaking-connection.js';
import { eventsOf, startServer, TOKEN } from '../setup.js';
import { Place } from './setup.js';
import type { Instance } from './setup.js';

const JOBS = ['one', 'two', 'three', 'four', 'five'];
/** More than there are in a start, or in the closing of a period, so that all of them are reached. */
const MOST_REQUESTS = 120;

/** An instance that is about to close a period with rows, with jobs that nobody has heard of, and with a late one. */
async function beforeClosing(): Promise<{ place: Place; first: Instance; breaking: BreakingClient }> {
  const server = await startServer();
  const place = new Place(server);
  const breaking = new BreakingClient(server.url, TOKEN);
  const first = await place.start({ type: 'basic' }, breaking.client);
  await place.file({ key: 'one' }, first);
  await place.file({ key: 'two', status: 'failure' }, first);
  await place.file({ key: 'unwanted', type: 'other' });
  await place.file({ key: 'three' });
  await place.file({ key: 'four', layout: 'nested' });
  await place.file({ key: 'five', date: '2023-12-30' });
  return { place, first, breaking };
}

async function crashAt(count: number, lost: Lost): Promise<boolean> {
  const { place, first, breaking } = await beforeClosing();
  let isBroken = false;
  void breaking.broken.then(() => (isBroken = true));
  breaking.breakAfter(count, lost);
  await place.clock.advanceTo('2024-01-01T07:00:10Z');
  await first.stop();
  await breaking.disconnect();

  const second = await place.start({ type: 'basic' });
  await place.clock.advance(60_000);
  await place.file({ key: 'six' }, second);
  await place.clock.advanceTo('2024-01-03T08:00:00Z');
  const where = `with the ${lost} of request ${count} lost`;
  const firsts = (await place.firsts()).toSorted();
  expect(firsts, where).toEqual([...JOBS, 'six'].map((key) => `first of ${key}`).toSorted());
  expect(await place.sent(), where).toHaveLength(2);
  await second.stop();
  return isBroken;
}

test.each(['answer', 'request'] as const)(
  'whichever %s is the last of an instance, each job is in one e-mail',
  async (lost) => {
    let reached = 0;
    for (let count = 1; count <= MOST_REQUESTS; count++) {
      if (!(await crashAt(count, lost))) break;
      reached = count;
    }
    // From the first request to the last, and no further.
    expect(reached).toBeGreaterThan(20);
    expect(reached).toBeLessThan(MOST_REQUESTS);
  },
  300_000,
);

test('whichever request is the last of the first start, old jobs are in no period and new ones in one', async () => {
  const begun: boolean[] = [];
  for (let count = 1; begun.at(-1) !== true && count <= MOST_REQUESTS; count++) {
    const server = await startServer();
    const place = new Place(server);
    await place.file({ key: 'old' });
    await place.file({ key: 'older', date: '2023-12-31', layout: 'nested' });
    const breaking = new BreakingClient(server.url, TOKEN);
    breaking.breakAfter(count, 'answer');
    const first = await place.start({}, breaking.client);
    begun.push(eventsOf(first.told, 'report:delayed').length === 0);
    await first.stop();
    await breaking.disconnect();
    const instances = await Promise.all([place.start(), place.start()]);
    await place.file({ key: 'new' }, ...instances);
    await place.clock.advanceTo('2024-01-02T08:00:00Z');
    expect(await place.firsts(), `cut off at request ${count}`).toEqual(['first of new']);
    await Promise.all(instances.map((instance) => instance.stop()));
  }
  // From the first request to the last, and no further.
  expect(begun.length).toBeGreaterThan(10);
  expect(begun.at(-1)).toBe(true);
}, 60_000);
