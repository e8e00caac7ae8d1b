import { expect, test } from 'vitest';

import { runChaos } from './chaos.js';
import { makePlan } from './plan.js';

const options = {
  seed: 7,
  jobs: 150,
  instances: 2,
  seconds: 4,
  lease: 1000,
  drain: 15_000,
  // No half-open sockets: it takes two pings to find those, which is longer than a test should.
  amounts: { kills: 3, servers: 1, cuts: 4, halfOpens: 0, partitions: 1, delays: 1, answers: 3 },
};

test('instances that are killed, cut off and lied to lose no job, and file each once as it ended', async () => {
  const report = await runChaos(options);
  expect(report.broken).toEqual([]);
  expect(report).toMatchObject({ filed: 150, lost: 0, filedTwice: 0, decidedTwice: 0, wrongOutcome: 0 });
  expect(report.kills).toBeGreaterThan(0);
  expect(report.serverRestarts).toBe(1);
  expect(report.extraRuns).toBeLessThanOrEqual(report.extraRunsAllowed);
}, 60_000);

test('the same seed makes the same plan', () => {
  expect(makePlan(options)).toEqual(makePlan(options));
  expect(makePlan({ ...options, seed: 8 })).not.toEqual(makePlan(options));
});
