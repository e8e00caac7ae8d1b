import type { Command } from 'commander';

import type { AddQueueFlags, ListQueuesFlags } from '../actions/queues.js';
import type { ServiceFlags } from '../settings.js';
import { examples, group, serviceLeaf } from './leaf.js';
import type { Run } from './leaf.js';

/** The further queues that a service watches. */
export function declareQueues(program: Command, run: Run): void {
  const queues = group(program, 'queues', 'The further queues that a service watches');
  serviceLeaf(queues, 'list', 'List them')
    .option('--check', 'ask the store of each, with its token')
    .action((flags: ListQueuesFlags) =>
      run(async (cli) => {
        const { showQueues } = await import('../actions/queues.js');
        await showQueues(cli, flags);
      }),
    );
  const add = serviceLeaf(queues, 'add', 'Have a queue watched: that of another user, or of another store')
    .argument('<queue>', 'what to call it')
    .argument('[address]', 'of its store; left out with --from-store')
    .option('--queue-token-file <file>', 'the file that holds its token, `-` for stdin')
    .option('--queue-token-env <name>', 'the variable that holds its token')
    .option('--from-store <name>', 'the store of the config file that it is in, with its token')
    .action((queue: string, address: string | undefined, flags: AddQueueFlags) =>
      run(async (cli) => {
        const { addOne } = await import('../actions/queues.js');
        await addOne(cli, { queue, address }, flags);
      }),
    );
  examples(
    add,
    'queues add north https://north.example.org -s mailer --queue-token-file north.token',
    'queues add south -s mailer --from-store south',
  );
  serviceLeaf(queues, 'remove', 'Have a queue watched no more')
    .argument('<queue>', 'what it is called')
    .action((queue: string, flags: ServiceFlags) =>
      run(async (cli) => {
        const { removeOne } = await import('../actions/queues.js');
        await removeOne(cli, queue, flags);
      }),
    );
}
