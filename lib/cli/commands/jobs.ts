import { Argument } from 'commander';
import type { Command } from 'commander';

import type { AddFlags } from '../actions/add.js';
import type { CancelFlags } from '../actions/cancel.js';
import type { ListFlags } from '../actions/list.js';
import type { LogsFlags } from '../actions/logs.js';
import type { RetryFlags } from '../actions/retry.js';
import type { WaitFlags } from '../actions/wait.js';
import { day, number, oneOf, owner, pageSize, several, waitingTime } from '../arguments.js';
import type { ServiceFlags } from '../settings.js';
import { examples, serviceLeaf } from './leaf.js';
import type { Run } from './leaf.js';

const JOB = 'its key, or its resource: resources/<id>';
const LISTS = ['pending', 'running', 'success', 'failure'];

/** What is done with jobs. */
export function declareJobs(program: Command, run: Run): void {
  declareAdd(program, run);
  declareList(program, run);
  declareShow(program, run);
  declareLogs(program, run);
  declareWait(program, run);
  declareRetry(program, run);
  declareCancel(program, run);
}

function declareAdd(program: Command, run: Run): void {
  const command = serviceLeaf(program, 'add', 'Add a job, and print its resource')
    .argument('<type>', 'the type of the job')
    .option('-c, --config <json>', 'its config: JSON, `@<file>`, or `-` for stdin', '{}')
    .option('--priority <number>', 'higher goes first', number)
    .option(
      '--start-after <time>',
      'not before: 2026-01-31T08:00:00Z, or a length of time from now, like 10m',
    )
    .option('--owner <user>', 'whose job it is, like users/ann', owner)
    .option('--key <key>', 'an idempotency key: added again with it, it is the same job')
    .option('--resource <id>', 'a resource that it is about; can be given more than once', several)
    .option('--wait', 'wait until it is over, and print its result')
    .option('--timeout <time>', 'how long to wait, like 10m', waitingTime)
    .action((type: string, flags: AddFlags) =>
      run(async (cli) => {
        const { addJob } = await import('../actions/add.js');
        await addJob(cli, type, flags);
      }),
    );
  examples(
    command,
    `add hello -s greeter --config '{"name": "world"}' --wait`,
    'add import -s loader --config @rows.json --key rows-2026-01-31',
  );
}

function declareList(program: Command, run: Run): void {
  const command = serviceLeaf(program, 'list', 'List jobs: those that wait, run, or are over')
    .addArgument(
      new Argument('[list]', 'which of them').choices(LISTS).argParser(oneOf(LISTS)).default('pending'),
    )
    .option('--type <type>', 'only those of a type')
    .option('--owner <user>', 'only those of a user, like users/ann', owner)
    .option('--day <day>', 'only those that were filed on a day (UTC), like 2026-01-31', day)
    .option('--failure-type <type>', 'only failures of a type, like timeout')
    .option('--text <text>', 'only those with a text in their key, type, owner, config or error')
    .option('--limit <number>', 'how many: 1 to 1000', pageSize, 50)
    .option('--after <cursor>', 'go on where the page before ended, as it said')
    .option('--all', 'all pages')
    .action((list: string, flags: ListFlags) =>
      run(async (cli) => {
        const { showJobs } = await import('../actions/list.js');
        await showJobs(cli, list, flags);
      }),
    );
  examples(command, 'list -s mailer', 'list failure -s mailer --type email --day 2026-01-31 --json');
}

function declareShow(program: Command, run: Run): void {
  serviceLeaf(program, 'show', 'Show a job: its config, its result, its log')
    .argument('<job>', JOB)
    .action((job: string, flags: ServiceFlags) =>
      run(async (cli) => {
        const { showJob } = await import('../actions/show.js');
        await showJob(cli, job, flags);
      }),
    );
}

function declareLogs(program: Command, run: Run): void {
  const command = serviceLeaf(program, 'logs', "Print a job's log")
    .argument('<job>', JOB)
    .option('-f, --follow', 'go on until the job is over')
    .action((job: string, flags: LogsFlags) =>
      run(async (cli) => {
        const { printLogs } = await import('../actions/logs.js');
        await printLogs(cli, job, flags);
      }),
    );
  examples(command, 'logs -f -s mailer 2fXpJ0xqTcWkdJ6uJ2aGk1sYd5O');
}

function declareWait(program: Command, run: Run): void {
  const command = serviceLeaf(program, 'wait', 'Wait until a job is over, and print its result')
    .argument('<job>', JOB)
    .option('--timeout <time>', 'how long to wait, like 10m', waitingTime)
    .action((job: string, flags: WaitFlags) =>
      run(async (cli) => {
        const { waitForOne } = await import('../actions/wait.js');
        await waitForOne(cli, job, flags);
      }),
    );
  examples(command, 'wait -s mailer 2fXpJ0xqTcWkdJ6uJ2aGk1sYd5O --timeout 10m');
}

function declareRetry(program: Command, run: Run): void {
  const command = serviceLeaf(program, 'retry', 'Have failed jobs done again, each by a job of its own')
    .argument('[jobs...]', 'which: keys or resources; or those that the options choose')
    .option('--type <type>', 'all failures of a type of job')
    .option('--day <day>', 'all failures that were filed on a day (UTC), like 2026-01-31', day)
    .option('--failure-type <type>', 'all failures of a type, like timeout')
    .option('--owner <user>', 'all failures of the jobs of a user, like users/ann', owner)
    .option('--text <text>', 'all failures with a text in their key, type, owner, config or error')
    .option('--all', 'all failures')
    .option('--dry-run', 'only tell which')
    .option('-y, --yes', 'do not ask')
    .action((jobs: string[], flags: RetryFlags) =>
      run(async (cli) => {
        const { retry } = await import('../actions/retry.js');
        await retry(cli, jobs, flags);
      }),
    );
  examples(
    command,
    'retry -s mailer 2fXpJ0xqTcWkdJ6uJ2aGk1sYd5O',
    'retry -s mailer --type email --day 2026-01-31 --failure-type timeout',
  );
}

function declareCancel(program: Command, run: Run): void {
  serviceLeaf(program, 'cancel', 'Cancel jobs, running or not')
    .argument('<jobs...>', 'which: keys or resources')
    .option('--wait', 'wait until they are over')
    .option('--timeout <time>', 'how long to wait, like 10m', waitingTime)
    .action((jobs: string[], flags: CancelFlags) =>
      run(async (cli) => {
        const { cancel } = await import('../actions/cancel.js');
        await cancel(cli, jobs, flags);
      }),
    );
}
