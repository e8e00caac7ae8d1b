import { expect, test } from 'vitest';

import { timingText } from '../../lib/operator/timing-text.js';

test.each([
  [{ cron: '0 7 * * *', timeZone: 'Europe/Paris' }, 'cron 0 7 * * * (Europe/Paris)'],
  [{ at: ['07:00', '19:00'], timeZone: 'UTC' }, 'at 07:00, 19:00 (UTC)'],
  [{ every: 86_400_000 }, 'every day'],
  [{ every: 1_800_000, phase: 60_000 }, 'every 30 minutes, moved by 1 minute'],
  [{ every: 1500 }, 'every 1500 ms'],
  [{ manual: true }, 'when asked to'],
  [{ often: 'very' }, 'not understood'],
])('%j is told as: %s', (record, text) => {
  expect(timingText(record)).toBe(text);
});
