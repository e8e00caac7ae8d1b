import type { Command } from 'commander';

import type { PruneFlags } from '../actions/prune.js';
import type { StatsFlags } from '../actions/stats.js';
import { duration, wholeNumber } from '../arguments.js';
import type { ServiceFlags, StoreFlags } from '../settings.js';
import { examples, serviceLeaf, storeLeaf } from './leaf.js';
import type { Run } from './leaf.js';

/** What is done with a service as a whole. */
export function declareService(program: Command, run: Run): void {
  storeLeaf(program, 'services', 'List the services of a store').action((flags: StoreFlags) =>
    run(async (cli) => {
      const { showServices } = await import('../actions/services.js');
      await showServices(cli, flags);
    }),
  );
  declarePause(program, run);
  serviceLeaf(program, 'instances', 'List the instances of a service').action((flags: ServiceFlags) =>
    run(async (cli) => {
      const { showInstances } = await import('../actions/instances.js');
      await showInstances(cli, flags);
    }),
  );
  serviceLeaf(program, 'stats', 'Count the jobs: those that wait, run, and were done each day')
    .option('--days <number>', 'how many days', wholeNumber, 7)
    .action((flags: StatsFlags) =>
      run(async (cli) => {
        const { showStats } = await import('../actions/stats.js');
        await showStats(cli, flags);
      }),
    );
  declarePrune(program, run);
}

function declarePause(program: Command, run: Run): void {
  for (const name of ['pause', 'resume'] as const) {
    const summary =
      name === 'pause' ? 'Have no more jobs begun; those that run go on' : 'Have jobs begun again';
    serviceLeaf(program, name, summary).action((flags: ServiceFlags) =>
      run(async (cli) => {
        const { setPause } = await import('../actions/pause.js');
        await setPause(cli, name === 'pause', flags);
      }),
    );
  }
}

function declarePrune(program: Command, run: Run): void {
  const command = serviceLeaf(
    program,
    'prune',
    'Delete finished jobs that were kept long enough, and dead instances',
  )
    .option('--success <time>', 'how long successes are kept, like 30d', duration)
    .option('--failure <time>', 'how long failures are kept, like 365d', duration)
    .option('--keep <number>', 'how many of each are enough', wholeNumber)
    .option('--dry-run', 'only count them')
    .option('-y, --yes', 'do not ask')
    .action((flags: PruneFlags) =>
      run(async (cli) => {
        const { prune } = await import('../actions/prune.js');
        await prune(cli, flags);
      }),
    );
  examples(command, 'prune -s mailer --success 30d --failure 365d --dry-run');
}
