import { expect, test } from 'vitest';

import { mayChange } from '../../../lib/dashboard/page/jobs/is-open.js';

test.each([
  ['running', [], true],
  ['waiting', [], true],
  ['success', ['success', 'running'], true],
  ['failure', ['waiting'], true],
  // One was deleted, or there are more than are listed: that is no reason to read it again for ever.
  ['success', ['success'], false],
  ['failure', [], false],
] as const)(
  'a job that is %s with listed children that are %j may change: %j',
  (state, children, expected) => {
    expect(mayChange({ state, childSummaries: children.map((one) => ({ state: one })) })).toBe(expected);
  },
);
