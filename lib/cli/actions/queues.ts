import { addQueue, checkQueue, checkQueueKey, listQueues, removeQueue } from '../../operator/queues.js';
import type { QueueHealth, QueueSummary } from '../../operator/queues.js';
import type { StoreAddress } from '../../oada/address.js';
import { readToken } from '../config-file.js';
import { CliError, orNotFound, orUsage, usageOf } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { openSession } from '../session.js';
import { readSettings } from '../settings.js';
import type { ServiceFlags } from '../settings.js';
import { lengthOf, stateOf } from '../wording.js';
import { storeUrl } from '../../oada/address.js';

export interface ListQueuesFlags extends ServiceFlags {
  readonly check?: boolean;
}

export interface AddQueueFlags extends ServiceFlags {
  readonly queueTokenFile?: string;
  readonly queueTokenEnv?: string;
  readonly fromStore?: string;
}

interface NewQueue {
  readonly queue: string;
  readonly address: string | undefined;
}

type CheckedQueue = QueueSummary & { readonly health?: QueueHealth };

export async function showQueues(cli: Invocation, flags: ListQueuesFlags): Promise<void> {
  const { output } = cli;
  const { service, deps } = await openSession(cli, flags);
  const { check = false, json = false } = flags;
  const queues = await Promise.all(
    (await listQueues(deps)).map(async (queue): Promise<CheckedQueue> =>
      check ? { ...queue, health: await checkQueue(deps, queue.queue) } : queue,
    ),
  );
  if (json) for (const queue of queues) output.json(queue);
  else if (queues.length === 0) output.note(`${service} watches no further queues.`);
  else await printTable(cli, queues, check);
  const bad = queues.filter(({ health }) => health?.ok === false).length;
  if (bad > 0)
    throw new CliError(
      'failed',
      `${bad} of ${queues.length} queues cannot be watched: add them anew with another address or token`,
    );
}

async function printTable(
  { output }: Invocation,
  queues: readonly CheckedQueue[],
  check: boolean,
): Promise<void> {
  const columns = [{ title: 'QUEUE' }, { title: 'ADDRESS' }];
  const health = [{ title: 'STATE' }, { title: 'TOOK' }];
  await output.table(
    [...columns, ...(check ? health : []), { title: 'PROBLEM', isFlexible: true }],
    queues.map(({ queue, domain = '', problem = '', health: answer }) => [
      queue,
      domain,
      ...(answer === undefined ? [] : [stateOf(answer.ok ? 'ok' : 'fail'), lengthOf(answer.took)]),
      answer?.problem ?? problem,
    ]),
  );
}

export async function addOne(
  cli: Invocation,
  { queue, address }: NewQueue,
  flags: AddQueueFlags,
): Promise<void> {
  const given = await addressOf(cli, address, flags);
  cli.output.hide(given.token);
  orUsage(() => {
    checkQueueKey(queue);
    storeUrl(given);
  });
  const { service, deps } = await openSession(cli, flags);
  await usageOf(addQueue(deps, queue, given));
  if (flags.json === true) cli.output.json({ queue, domain: given.domain });
  else cli.output.line(`${service} watches ${queue} at ${given.domain}.`);
}

export async function removeOne(cli: Invocation, queue: string, flags: ServiceFlags): Promise<void> {
  orUsage(() => {
    checkQueueKey(queue);
  });
  const { service, deps } = await openSession(cli, flags);
  await orNotFound(removeQueue(deps, queue), '`oada-jobs queues list` shows those that there are');
  if (flags.json === true) cli.output.json({ queue, removed: true });
  else cli.output.line(`${service} watches ${queue} no more.`);
}

/** Where the queue is. Its token is taken from where nobody looks over one's shoulder. */
async function addressOf(
  { environment }: Invocation,
  address: string | undefined,
  { fromStore, queueTokenFile, queueTokenEnv, configFile }: AddQueueFlags,
): Promise<StoreAddress> {
  const ways = [fromStore, queueTokenFile, queueTokenEnv].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw new CliError(
      'usage',
      'say where the token of the queue is: one of --queue-token-file, --queue-token-env, --from-store',
    );
  if (fromStore !== undefined && address !== undefined)
    throw new CliError(
      'usage',
      '--from-store gives the address as well: leave out the other, which its token is not for',
    );
  if (fromStore !== undefined) {
    const config = configFile === undefined ? {} : { configFile };
    const { domain, token } = await readSettings({ store: fromStore, ...config }, environment);
    return { domain, token };
  }
  if (address === undefined)
    throw new CliError('usage', 'give the address of the store that the queue is in');
  if (queueTokenFile !== undefined)
    return {
      domain: address,
      token: await readToken(queueTokenFile),
    };
  const token = environment[queueTokenEnv ?? ''] ?? '';
  if (token === '')
    throw new CliError('usage', `${queueTokenEnv ?? ''} is not set: it has to hold the token of the queue`);
  return { domain: address, token };
}
