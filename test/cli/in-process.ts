import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';

import { Invocation } from '../../lib/cli/invocation.js';
import { createProgram } from '../../lib/cli/program.js';
import type { Ended } from './setup.js';

/** Where something is written to, which may have no reader any more. */
class FakeStream extends EventEmitter {
  isTTY = false;
  text = '';
  onWrite: () => void = () => undefined;

  write(text: string): boolean {
    this.text += text;
    this.onWrite();
    return true;
  }

  /** As of a pipe whose reader has ended. */
  fail(): void {
    this.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  }
}

/** What a command sees of the process that it is in. */
export class FakeProcess extends EventEmitter {
  readonly stdout = new FakeStream();
  readonly stderr = new FakeStream();
  readonly stdin = Object.assign(new PassThrough(), { isTTY: false });
  readonly env: Record<string, string>;
  exitCode: number | undefined;

  constructor(environment: Record<string, string> = {}) {
    super();
    this.env = environment;
  }

  exit(code = this.exitCode): void {
    this.exitCode = code;
  }

  /** Somebody sits there, and types. */
  beTerminal(): void {
    this.stdin.isTTY = true;
    this.stderr.isTTY = true;
  }

  invocation(): Invocation {
    return new Invocation(this as unknown as NodeJS.Process);
  }

  get ended(): Ended {
    return { code: this.exitCode ?? 0, stdout: this.stdout.text, stderr: this.stderr.text };
  }
}

/** What `oada-jobs` does with the arguments, without a process of its own. */
export async function runHere(process: FakeProcess, ...args: readonly string[]): Promise<Ended> {
  const invocation = process.invocation();
  const program = createProgram(async (command) => {
    await invocation.output.prepare();
    await command(invocation);
  });
  await invocation.run(async () => {
    await program.parseAsync(['node', 'oada-jobs', ...args]);
  });
  return process.ended;
}
