import { expect, test } from 'vitest';

import { askInTurn } from '../../../lib/dashboard/page/ask-in-turn.js';
import { deferred } from '../../setup.js';

/** What is asked is answered when the test says so. */
function scene() {
  const asked: { readonly answer: () => void; readonly signal: AbortSignal }[] = [];
  const told: boolean[] = [];
  const asking = askInTurn(async (signal, isLast) => {
    const answered = deferred();
    asked.push({ answer: answered.resolve, signal });
    await answered.promise;
    told.push(isLast());
  });
  return { asking, asked, told };
}

test('what is under way is let end, and asked once more, however often it was wanted meanwhile', async () => {
  const { asking, asked, told } = scene();
  for (let index = 0; index < 5; index++) asking.again();
  expect(asked).toHaveLength(1);
  expect(asked[0]?.signal.aborted).toBe(false);
  asked[0]?.answer();
  await expect.poll(() => asked.length).toBe(2);
  expect(told).toEqual([false]);
  asked[1]?.answer();
  await expect.poll(() => told).toEqual([false, true]);
  expect(asked).toHaveLength(2);
  asking.again();
  expect(asked).toHaveLength(3);
});

test('where it is wanted no more, what is under way is aborted, and nothing is asked after it', async () => {
  const { asking, asked, told } = scene();
  asking.again();
  asking.again();
  asking.end();
  expect(asked[0]?.signal.aborted).toBe(true);
  asked[0]?.answer();
  await expect.poll(() => told).toEqual([false]);
  asking.again();
  expect(asked).toHaveLength(1);
});
