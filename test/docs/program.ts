import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../../', import.meta.url));

/** A TypeScript program in a process and a folder of its own. */
export class Program {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<number | null>;
  #wake: () => void = () => undefined;
  output = '';

  private constructor(child: ChildProcess, folder: string) {
    this.#process = child;
    this.#folder = folder;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        this.#wake();
      });
    }
    this.#exited = new Promise((resolve) => {
      child.on('close', (code) => {
        resolve(code);
        this.#wake();
      });
    });
  }

  static async start(file: string, environment: Record<string, string> = {}): Promise<Program> {
    const folder = await mkdtemp(join(tmpdir(), 'oada jobs '));
    const { FORCE_COLOR: _colour, ...inherited } = process.env;
    const env = {
      ...inherited,
      TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
      NO_COLOR: '1',
      ...environment,
    };
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
      cwd: folder,
      env,
    });
    return new Program(child, folder);
  }

  /** Resolves when the program has printed the text; rejects when it ends without. */
  async printed(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.#process.exitCode !== null) throw new Error(`It ended without "${text}":\n${this.output}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Its exit status; 0 when it ended by itself and all was well. */
  exited(): Promise<number | null> {
    return this.#exited;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
    await rm(this.#folder, { recursive: true });
  }
}
