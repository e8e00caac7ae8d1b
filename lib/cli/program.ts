import { readFileSync } from 'node:fs';

import { Command } from 'commander';

import { objectOf, parseJson } from '../json.js';
import { declareCompletion } from './commands/completion.js';
import { declareJobs } from './commands/jobs.js';
import type { Run } from './commands/leaf.js';
import { declareQueues } from './commands/queues.js';
import { declareSchedules } from './commands/schedules.js';
import { declareServers } from './commands/servers.js';
import { declareService } from './commands/service.js';

const EPILOGUE = `
Where the store and its token come from: --domain or --store, the variables OADA_DOMAIN and OADA_TOKEN, or the config
file ~/.config/oada-jobs/config.json. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not authorised,
5 store not reached, 6 the job waited for failed, 124 waited too long, 130 Ctrl-C.`;

/** The commands by groups, as the help shows them. What one does is loaded when it is run. */
const GROUPS: readonly (readonly [heading: string, declare: (program: Command, run: Run) => void])[] = [
  ['Jobs:', declareJobs],
  ['Service:', declareService],
  ['Queues and schedules:', declareQueues],
  ['Queues and schedules:', declareSchedules],
  ['Stores:', declareServers],
  ['Shell:', declareCompletion],
];

/** All that `oada-jobs` understands. */
export function createProgram(run: Run): Command {
  const program = new Command('oada-jobs')
    .description('Adds, watches and steers the jobs of services in an OADA store')
    .version(version())
    .exitOverride()
    // What is wrong is told in one line, by whoever catches it.
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ sortOptions: false })
    .addHelpText('after', EPILOGUE);
  for (const [heading, declare] of GROUPS) {
    program.commandsGroup(heading);
    declare(program, run);
  }
  return program;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version: number } = objectOf(parseJson(text));
  return typeof number === 'string' ? number : '';
}
