import type { Command } from 'commander';

import type { DashboardFlags } from '../actions/dashboard.js';
import type { ServeFlags } from '../actions/serve.js';
import { port, several } from '../arguments.js';
import type { ServiceFlags } from '../settings.js';
import { examples, leaf, serviceLeaf, storeLeaf } from './leaf.js';
import type { Run } from './leaf.js';

/** What runs until Ctrl-C, and what looks into why something does not. */
export function declareServers(program: Command, run: Run): void {
  declareServe(program, run);
  declareDashboard(program, run);
  serviceLeaf(program, 'doctor', 'Check the store, the token and the service, and say what to do').action(
    (flags: ServiceFlags) =>
      run(async (cli) => {
        const { examine } = await import('../actions/doctor.js');
        await examine(cli, flags);
      }),
  );
}

function declareServe(program: Command, run: Run): void {
  const command = leaf(program, 'serve', 'Run an OADA store on this machine, until Ctrl-C')
    .option('--path <folder>', 'where everything is kept', './oada-data')
    .option('--memory', 'keep nothing: all is gone when it stops')
    .option('--host <address>', 'where to listen; by default only this machine can come in', '127.0.0.1')
    .option('--port <number>', 'the port; 0 is a free one', port, 0)
    .option(
      '--token-file <file>',
      'the file of the token to come in with, made where it is missing',
      './oada-token',
    )
    .option('--user <user>', 'whose token it is', 'users/owner')
    .action((flags: ServeFlags) =>
      run(async (cli) => {
        const { serve } = await import('../actions/serve.js');
        await serve(cli, flags);
      }),
    );
  examples(command, 'serve --port 8080', 'serve --memory --json');
}

function declareDashboard(program: Command, run: Run): void {
  const command = storeLeaf(program, 'dashboard', 'Run the web dashboard, until Ctrl-C')
    .option('--host <address>', 'where to listen; by default only this machine can come in', '127.0.0.1')
    .option('--port <number>', 'the port; 0 is a free one', port, 0)
    .option('--password-file <file>', 'the file of the password to come in with')
    .option(
      '--allow-host <name>',
      'a name by which browsers reach it, like jobs.example.org; can be given more than once',
      several,
    )
    .option('--trust-proxy', 'believe the X-Forwarded-… headers of the proxy that all requests come through')
    .option('--read-only', 'let people look, and change nothing')
    .option('--all-stores', 'show all stores of the config file')
    .option('--metrics', 'serve metrics of all services at /metrics, to those who are signed in')
    .option('--public-metrics', 'serve them to whoever can reach the address, as Prometheus needs it')
    .action((flags: DashboardFlags) =>
      run(async (cli) => {
        const { runDashboard } = await import('../actions/dashboard.js');
        await runDashboard(cli, flags);
      }),
    );
  examples(command, 'dashboard --store farm', 'dashboard --all-stores --port 8081');
}
