import { expect, test } from 'vitest';

import { deedsOfList, deedsOfState } from '../../../lib/dashboard/page/jobs/deeds.js';

test('only what is over can be deleted, and only what is not can be cancelled', () => {
  expect((['pending', 'running', 'success', 'failure'] as const).map(deedsOfList)).toEqual([
    ['cancel'],
    ['cancel'],
    ['rerun', 'delete'],
    ['retry', 'delete'],
  ]);
  const states = ['waiting', 'running', 'success', 'failure'] as const;
  expect(states.map((state) => deedsOfState(state, false))).toEqual([
    ['cancel'],
    ['cancel'],
    ['rerun', 'delete'],
    ['retry', 'delete'],
  ]);
  expect(deedsOfState('failure', true)).toEqual(['rerun', 'delete']);
});
