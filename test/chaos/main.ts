// `npm run chaos -- --jobs 2000 --instances 3 --seconds 60 --seed 1`: see README.md.
import { parseArgs } from 'node:util';

import { runChaos } from './chaos.js';
import { amountsFor, only } from './plan.js';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '2000' },
    instances: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '60' },
    /** Which of the faults: `kills,cuts`, say. */
    only: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
  },
});
const seconds = Number(values.seconds);
const amounts = amountsFor(seconds);
const { broken, ...report } = await runChaos({
  seed: Number(values.seed),
  jobs: Number(values.jobs),
  instances: Number(values.instances),
  seconds,
  amounts: values.only === undefined ? amounts : only(amounts, values.only.split(',')),
  lease: 3000,
  drain: 90_000,
});
for (const complaint of broken.slice(0, 20)) console.error(complaint);
console.log(JSON.stringify(report));
process.exitCode = broken.length > 0 ? 1 : 0;
