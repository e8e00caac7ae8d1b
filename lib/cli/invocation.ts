import type { Environment } from './config-file.js';
import type { ExitName } from './exit-codes.js';
import { EXIT } from './exit-codes.js';
import { CliError, failureOf } from './failure.js';
import { Output } from './output.js';
import { toError } from '../errors.js';

/** One call of `oada-jobs`: what a command works with. */
export class Invocation {
  readonly output: Output;
  readonly environment: Environment;
  readonly #process: NodeJS.Process;
  readonly #interruption = new AbortController();
  readonly #closing: (() => Promise<void> | void)[] = [];
  /** Whether a command that was interrupted is waited for. */
  #endsItself = false;
  /** What such a command says then; undefined: what interrupted it. */
  #endsAs: 'ok' | undefined;
  #goesOnUnread = false;
  #domain: string | undefined;

  constructor(ofProcess: NodeJS.Process) {
    const { stdout, stderr, env } = ofProcess;
    this.#process = ofProcess;
    this.environment = env;
    this.output = new Output({ stdout, stderr, environment: env });
  }

  /** Aborted by Ctrl-C, or when nobody reads the results any more, with an error that says so. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  /** Where somebody can be asked. */
  get isInteractive(): boolean {
    const { stdin, stderr } = this.#process;
    return stdin.isTTY && stderr.isTTY;
  }

  get stdin(): NodeJS.ReadStream {
    return this.#process.stdin;
  }

  /** Of what to tell where the store fails. */
  isAbout(domain: string): void {
    this.#domain = domain;
  }

  /** Has something done when the command is over, however it ends: the latest first. */
  defer(close: () => Promise<void> | void): void {
    this.#closing.push(close);
  }

  /** With Ctrl-C the command comes to an end by itself, and is waited for; a second one ends it at once. */
  endsItself(exit?: 'ok'): void {
    this.#endsItself = true;
    this.#endsAs = exit;
  }

  /** It does what it was asked to do also when nobody reads on: that is more than to tell something. */
  goesOnUnread(): void {
    this.#goesOnUnread = true;
  }

  /** Runs a command, and sets the exit code. */
  async run(command: () => Promise<void>): Promise<void> {
    this.#listen();
    try {
      await Promise.race([command(), this.#interrupted()]);
      if (this.signal.aborted) this.#process.exitCode = this.#exitOfInterruption();
    } catch (error) {
      await this.#fail(error);
    } finally {
      await this.#close();
    }
    // What the command was in the middle of may hold the process up: a read of stdin, say.
    if (this.signal.aborted) this.#process.exit();
  }

  #exitOfInterruption(): number {
    return this.#endsAs === undefined
      ? failureOf(this.signal.reason, this.#domain).exitCode
      : EXIT[this.#endsAs];
  }

  async #fail(thrown: unknown): Promise<void> {
    const { exitCode, message } = failureOf(thrown, this.#domain);
    this.#process.exitCode = exitCode;
    await this.output.prepare();
    this.output.close(); // of the progress bar, before the line
    if (message !== '') this.output.error(message);
  }

  #interrupted(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.signal.addEventListener('abort', () => {
        if (!this.#endsItself) reject(toError(this.signal.reason));
      });
    });
  }

  #listen(): void {
    const end = (exit: ExitName) => (): void => {
      if (this.signal.aborted) this.#process.exit(EXIT[exit]);
      this.#interruption.abort(new CliError(exit, ''));
    };
    this.#process.on('SIGINT', end('interrupted'));
    this.#process.on('SIGTERM', end('terminated'));
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.on('error', (error: NodeJS.ErrnoException) => {
        // `| head` has read enough: that is no failure, and the rest is not wanted.
        const isUnread = error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED';
        if (isUnread && this.#goesOnUnread) return;
        this.#interruption.abort(new CliError(isUnread ? 'ok' : 'failed', ''));
      });
    }
  }

  async #close(): Promise<void> {
    this.output.close();
    for (const close of this.#closing.toReversed()) await close();
  }
}
