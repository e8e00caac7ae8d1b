import { Option } from 'commander';
import type { Command } from 'commander';

import type { DueFlags, HistoryFlags, OverrideFlags, PreviewFlags } from '../actions/schedules.js';
import { oneOf, several, waitingTime, wholeNumber } from '../arguments.js';
import type { ServiceFlags } from '../settings.js';
import { examples, group, serviceLeaf } from './leaf.js';
import type { Run } from './leaf.js';

const NAME = 'its name';
const WAYS = ['run', 'reschedule'];

/** The schedules of a service. */
export function declareSchedules(program: Command, run: Run): void {
  const schedules = group(program, 'schedules', 'The schedules of a service');
  declareLooking(schedules, run);
  declareSwitches(schedules, run);
  declareOverride(schedules, run);
  declareHold(schedules, run);
  declarePause(schedules, run);
}

function declareLooking(schedules: Command, run: Run): void {
  serviceLeaf(schedules, 'list', 'List them').action((flags: ServiceFlags) =>
    run(async (cli) => {
      const { showSchedules } = await import('../actions/schedules.js');
      await showSchedules(cli, flags);
    }),
  );
  serviceLeaf(schedules, 'show', 'Show one')
    .argument('<schedule>', NAME)
    .action((key: string, flags: ServiceFlags) =>
      run(async (cli) => {
        const { showSchedule } = await import('../actions/schedules.js');
        await showSchedule(cli, key, flags);
      }),
    );
  serviceLeaf(schedules, 'preview', 'Print the next times that one is due')
    .argument('<schedule>', NAME)
    .option('--count <number>', 'how many: 1 to 1000', wholeNumber, 5)
    .action((key: string, flags: PreviewFlags) =>
      run(async (cli) => {
        const { previewSchedule } = await import('../actions/schedules.js');
        await previewSchedule(cli, key, flags);
      }),
    );
  serviceLeaf(schedules, 'history', 'List the occurrences of one, the latest first')
    .argument('<schedule>', NAME)
    .option('--limit <number>', 'how many', wholeNumber, 20)
    .action((key: string, flags: HistoryFlags) =>
      run(async (cli) => {
        const { showHistory } = await import('../actions/schedules.js');
        await showHistory(cli, key, flags);
      }),
    );
}

function declareSwitches(schedules: Command, run: Run): void {
  const summaries = {
    run: 'Have one run now, out of turn',
    disable: 'Have one run no more, until it is enabled again',
    reset: 'Forget the failures of one, and let it go on if it is held because of them',
  } as const;
  for (const name of ['run', 'disable', 'reset'] as const) {
    serviceLeaf(schedules, name, summaries[name])
      .argument('<schedule>', NAME)
      .action((key: string, flags: ServiceFlags) =>
        run(async (cli) => {
          const { switchSchedule } = await import('../actions/schedules.js');
          await switchSchedule(cli, name, key, flags);
        }),
      );
  }
  serviceLeaf(schedules, 'enable', 'Have one run again')
    .argument('<schedule>', NAME)
    .addOption(due().default('run'))
    .action((key: string, flags: DueFlags) =>
      run(async (cli) => {
        const { enableSchedule } = await import('../actions/schedules.js');
        await enableSchedule(cli, key, flags);
      }),
    );
}

function declareOverride(schedules: Command, run: Run): void {
  const command = serviceLeaf(schedules, 'override', 'Put other times in place of those of the code')
    .argument('<schedule>', NAME)
    .option('--cron <pattern>', "cron of 5 or 6 fields, like '0 7 * * 1-5'")
    .option('--every <time>', 'an interval, like 15m', waitingTime)
    .option('--at <time>', 'a time of each day, like 07:30; can be given more than once', several)
    .option('--manual', 'never by itself')
    .option('--time-zone <name>', 'that --cron and --at go by, like America/New_York')
    .option('--phase <time>', 'how far the grid of --every is moved', waitingTime)
    .option('--clear', 'the times of the code again')
    .action((key: string, flags: OverrideFlags) =>
      run(async (cli) => {
        const { overrideSchedule } = await import('../actions/schedules.js');
        await overrideSchedule(cli, key, flags);
      }),
    );
  examples(
    command,
    "schedules override nightly -s mailer --cron '0 4 * * *' --time-zone Europe/Paris",
    'schedules override nightly -s mailer --clear',
  );
}

function declareHold(schedules: Command, run: Run): void {
  serviceLeaf(schedules, 'hold', 'Hold all of them; jobs that run go on').action((flags: ServiceFlags) =>
    run(async (cli) => {
      const { holdSchedules } = await import('../actions/schedules.js');
      await holdSchedules(cli, flags);
    }),
  );
  serviceLeaf(schedules, 'release', 'Let all of them go on')
    .addOption(due().makeOptionMandatory())
    .action((flags: DueFlags) =>
      run(async (cli) => {
        const { releaseSchedules } = await import('../actions/schedules.js');
        await releaseSchedules(cli, flags);
      }),
    );
}

function declarePause(schedules: Command, run: Run): void {
  const summaries = {
    'pause-type': 'Have the schedules for jobs of a type begin no more; jobs that run go on',
    'resume-type': 'Let the schedules for jobs of a type go on',
  } as const;
  for (const name of ['pause-type', 'resume-type'] as const) {
    serviceLeaf(schedules, name, summaries[name])
      .argument('<type>', 'the type of the jobs')
      .action((type: string, flags: ServiceFlags) =>
        run(async (cli) => {
          const { pauseSchedules } = await import('../actions/schedules.js');
          await pauseSchedules(cli, name === 'pause-type', type, flags);
        }),
      );
  }
}

function due(): Option {
  const what = 'what became due meanwhile: run it as the schedule says, or pass it over';
  return new Option('--due <what>', what).choices(WAYS).argParser(oneOf(WAYS));
}
