import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';

import { CliError } from './failure.js';
import type { Invocation } from './invocation.js';

/**
 * Asks on the terminal.
 *
 * @param question is ours: nothing of it is made safe
 * @throws {CliError} the answer is no, or there is nobody to be asked
 */
export async function confirm(cli: Invocation, question: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (!cli.isInteractive)
    throw new CliError(
      'usage',
      `${question} There is no terminal to ask on: --yes says so, --dry-run only tells`,
    );
  const terminal = createInterface({ input: cli.stdin, output: process.stderr });
  cli.defer(() => {
    terminal.close();
  });
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT')); // the terminal keeps Ctrl-C to itself
  // Ctrl-D closes it without an answer.
  const closed = once(terminal, 'close').then(() => undefined);
  const answer = await Promise.race([
    terminal.question(`${question} [y/N] `, { signal: cli.signal }),
    closed,
  ]);
  terminal.close();
  if (answer === undefined) cli.output.note(''); // the line of the question has not ended
  if (answer === undefined || !/^y(es)?$/i.test(answer.trim()))
    throw new CliError('failed', 'nothing was done');
}
