import { CommanderError } from 'commander';

import { ConfigError, JobError, StoreError, toError, WaitTimeoutError } from '../errors.js';
import { EXIT } from './exit-codes.js';
import type { ExitName } from './exit-codes.js';

/** Ends the command with one line, and an exit code. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exit: ExitName;

  /** @param message what happened, to what, and what to do next; empty: all is said */
  constructor(exit: ExitName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}

export interface Failure {
  readonly exitCode: number;
  /** Empty where all is said. */
  readonly message: string;
}

/** @param domain of the store that was asked */
export function failureOf(thrown: unknown, domain: string | undefined): Failure {
  const error = toError(thrown);
  if (error instanceof CliError) return { exitCode: EXIT[error.exit], message: error.message };
  if (error instanceof CommanderError) return usageFailure(error);
  if (error instanceof StoreError) return storeFailure(error, domain);
  if (error instanceof WaitTimeoutError) return { exitCode: EXIT.timeout, message: error.message };
  if (error instanceof JobError) return { exitCode: EXIT.jobFailed, message: error.message };
  return { exitCode: EXIT.failed, message: error.message };
}

/** The parser throws for help that was asked for, too. */
function usageFailure({ code, exitCode, message }: CommanderError): Failure {
  if (exitCode === 0) return { exitCode: EXIT.ok, message: '' };
  if (code === 'commander.help') return { exitCode: EXIT.usage, message: '' }; // it was shown, for want of a command
  // Behind the `=` of a mistyped option may stand a token.
  const told = code === 'commander.unknownOption' ? message.replace(/=.*'/s, "'") : message;
  const said = told.replace(/^error: /, '').replace(/\.?\s*\((Did you mean [^)]*)\)$/s, '. $1');
  return { exitCode: EXIT.usage, message: said };
}

function storeFailure(error: StoreError, domain: string | undefined): Failure {
  const message = domain === undefined ? error.message : `${domain}: ${error.message}`;
  switch (error.code) {
    case 'OADA_JOBS_STORE_UNAUTHORIZED':
    case 'OADA_JOBS_STORE_FORBIDDEN':
      return { exitCode: EXIT.unauthorized, message };
    case 'OADA_JOBS_STORE_NOT_FOUND':
      return { exitCode: EXIT.notFound, message };
    case 'OADA_JOBS_STORE_UNREACHABLE':
    case 'OADA_JOBS_STORE_TIMEOUT':
    case 'OADA_JOBS_STORE_FAILED':
      return { exitCode: EXIT.unreachable, message: `${message} \`oada-jobs doctor\` looks into it.` };
    default:
      return { exitCode: EXIT.failed, message };
  }
}

/** For what is looked up by the name that was given. */
export async function orNotFound<T>(found: Promise<T>, advice: string): Promise<T> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CliError('notFound', `${error.message}. ${advice}`, { cause: error });
    throw error;
  }
}

/** For what is done with nothing but what was given: where that is refused, it was wrong. */
export async function usageOf<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError('usage', error.message, { cause: error });
    throw error;
  }
}

/** For what is checked before anything is done: what is wrong with it is wrong with the command line. */
export function orUsage<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError('usage', error.message, { cause: error });
    throw error;
  }
}
