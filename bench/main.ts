// `npm run bench`: what every claim about speed rests on.
//   npm run bench                    all of it
//   npm run bench -- drain latency   some sections
//   npm run bench -- --quick         a fiftieth of the work: enough to see that it runs
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

import { Figures } from './figures.js';
import { SECTIONS } from './sections.js';

/** How long a section of a quick run may take; each takes seconds. */
const LONGEST_QUICK_MS = 120_000;

const isQuick = process.argv.includes('--quick');
const wanted = process.argv.slice(2).filter((name) => !name.startsWith('--'));
const unknown = wanted.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) {
  console.error(`no section ${unknown.join(', ')}; there are: ${Object.keys(SECTIONS).join(', ')}`);
  process.exit(2);
}

console.log(`Node ${process.version} on ${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}\n`);
const folder = await mkdtemp(join(tmpdir(), 'oada-jobs-bench-'));
const figures = new Figures();
try {
  for (const [name, measure] of Object.entries(SECTIONS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.error(`measuring: ${name}`);
    const limit = isQuick ? setTimeout(giveUp, LONGEST_QUICK_MS, name) : undefined;
    await measure({
      figures,
      folder: join(folder, name),
      count: (full, quick = Math.ceil(full / 50)) => (isQuick ? quick : full),
    });
    clearTimeout(limit);
  }
} finally {
  await rm(folder, { recursive: true });
}
console.log(figures.toString());

/** A section that waits for what never comes is to fail a run that nobody looks at. */
function giveUp(section: string): void {
  console.error(`${section} was not over within ${String(LONGEST_QUICK_MS / 1000)} s`);
  process.exit(1);
}
