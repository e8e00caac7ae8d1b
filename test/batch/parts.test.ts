import { InvalidResultError } from '@oada/jobs';
import { expect, test } from 'vitest';

import { partsOf } from '../../lib/batch/parts.js';
import { watchRejections } from '../setup.js';

const error = new Error('no');
const done = (value: unknown): object => ({ status: 'fulfilled', value });
const failed = (reason: unknown): object => ({ status: 'rejected', reason });

test.each<[string, () => unknown, object[]]>([
  ['an array, to each its own', () => [1, 2], [done(1), done(2)]],
  ['an array of promises', () => [Promise.resolve(1), Promise.reject(error)], [done(1), failed(error)]],
  ['a promise of an array', () => Promise.resolve(['a', 'b']), [done('a'), done('b')]],
  ['an array with an error', () => [error, 2], [failed(error), done(2)]],
  ['a promise of an error in it', () => [1, Promise.resolve(error)], [done(1), failed(error)]],
  ['an array with nothing in it', () => [undefined, null], [done(undefined), done(null)]],
  ['no array, to all', () => ({ rows: 2 }), [done({ rows: 2 }), done({ rows: 2 })]],
  ['nothing', () => undefined, [done(undefined), done(undefined)]],
  ['an error', () => error, [failed(error), failed(error)]],
  ['a rejection', () => Promise.reject(error), [failed(error), failed(error)]],
  [
    'what it throws',
    () => {
      throw error;
    },
    [failed(error), failed(error)],
  ],
])('of what the function gives, %s', async (_name, work, expected) => {
  expect(await partsOf(2, work)).toEqual(expected);
});

test.each([
  [2, () => [1], 'the batch has 2 jobs, but its function returned an array of 1'],
  [1, () => [1, Promise.reject(error)], 'the batch has 1 job, but its function returned an array of 2'],
  [1, () => [], 'the batch has 1 job, but its function returned an array of 0'],
] as const)('an array of another length is the failure of all', async (count, work, message) => {
  watchRejections();
  const parts = await partsOf(count, work);
  expect(parts).toHaveLength(count);
  for (const part of parts) {
    expect(part).toMatchObject({ status: 'rejected', reason: expect.any(InvalidResultError) as unknown });
    expect(part).toMatchObject({ reason: { message: expect.stringContaining(message) as unknown } });
  }
});
