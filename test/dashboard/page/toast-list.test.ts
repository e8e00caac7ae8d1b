import { expect, test } from 'vitest';

import { withNewest } from '../../../lib/dashboard/page/elements/toast-list.js';

const toast = (id: number, isHeld = false): { id: number; isHeld: boolean } => ({ id, isHeld });
const ids = (toasts: readonly { readonly id: number }[]): number[] => toasts.map(({ id }) => id);

test('the oldest makes way for the newest, but never one that can still be called off', () => {
  expect(ids(withNewest([], toast(1), 3))).toEqual([1]);
  expect(ids(withNewest([toast(1), toast(2)], toast(3), 3))).toEqual([1, 2, 3]);
  expect(ids(withNewest([toast(1), toast(2), toast(3)], toast(4), 3))).toEqual([2, 3, 4]);
  expect(ids(withNewest([toast(1, true), toast(2), toast(3)], toast(4), 3))).toEqual([1, 3, 4]);
  expect(
    ids(
      withNewest(
        [1, 2, 3].map((id) => toast(id, true)),
        toast(4),
        3,
      ),
    ),
  ).toEqual([1, 2, 3, 4]);
});
