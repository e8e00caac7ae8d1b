import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Without what npm, Yarn and the test runner tell those that they start: a user's terminal has none of it. */
const environment: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_registry$)|vitest|vite_|node_env$|node_options$|init_cwd$|ci$)/i.test(name),
  ),
);

/** A command line that a user types, with all that it starts. */
export class Command {
  readonly #process: ChildProcess;
  readonly #line: string;
  readonly #closed: Promise<unknown>;
  #wake: () => void = () => undefined;
  stdout = '';
  stderr = '';

  constructor(line: string, cwd: string, variables: Readonly<Record<string, string>> = {}) {
    this.#line = line;
    // A group of its own: a signal is to reach what the shell and npx have started, as Ctrl-C does.
    this.#process = spawn(line, {
      ...{ cwd, shell: true, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
      env: { ...environment, NO_COLOR: '1', ...variables },
    });
    this.#process.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.#wake();
    });
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#wake();
    });
    this.#closed = once(this.#process, 'close').finally(() => {
      this.#wake();
    });
  }

  /** Resolves when it has printed something like this; rejects when it ends without. */
  async printed(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = text.exec(this.stdout);
      if (found !== null) return found;
      if (this.#process.exitCode !== null) throw this.#error(`ended without ${String(text)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What it has printed when it has ended; rejects where that was not well. */
  async succeeded(): Promise<string> {
    await this.#closed;
    if (this.#process.exitCode === 0) return this.stdout;
    throw this.#error(`ended with ${String(this.#process.exitCode ?? this.#process.signalCode)}`);
  }

  /** Ctrl-C. */
  async interrupt(): Promise<void> {
    this.#signal('SIGINT');
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal('SIGKILL');
    await this.#closed;
  }

  #signal(name: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#process;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
  }

  #error(what: string): Error {
    return new Error(`\`${this.#line}\` ${what}:\n${this.stdout}${this.stderr}`);
  }
}
