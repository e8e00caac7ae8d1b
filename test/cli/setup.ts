import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { OADAServer } from '@oada/jobs/server';
import { expect, onTestFinished, vi } from 'vitest';

import { NAME, OTHER_TOKEN, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';
import { builtMain } from './built.js';

// Each of them starts many processes, on machines that may have other things to do.
vi.setConfig({ testTimeout: 180_000 });

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

/** What no terminal may be sent: everything that acts on it, but for the ends of lines and of fields. */
const UNSAFE = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

/** One process of `oada-jobs`. */
export class Running {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<Ended>;
  #wake: () => void = () => undefined;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], { environment = {}, input, cwd = folder() }: RunOptions) {
    const env = { PATH: process.env['PATH'] ?? '', HOME: cwd, ...environment };
    this.#process = spawn(process.execPath, [builtMain(), ...args], { cwd, env });
    this.#process.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.#wake();
    });
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#wake();
    });
    this.#process.stdin.on('error', () => undefined); // it may have ended without reading
    if (input === undefined) this.#process.stdin.end();
    else this.#process.stdin.end(input);
    this.#ended = new Promise((resolve) => {
      this.#process.on('close', (code) => {
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
        this.#wake();
      });
    });
    onTestFinished(() => {
      this.#process.kill('SIGKILL');
    });
  }

  /** Resolves when it has printed the text; rejects when it ends without. */
  async printed(text: string): Promise<void> {
    while (!`${this.stdout}${this.stderr}`.includes(text)) {
      if (this.#process.exitCode !== null)
        throw new Error(`It ended without "${text}":\n${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Stops reading, as `head` does. */
  stopReading(): void {
    this.#process.stdout.destroy();
  }

  /** Nothing that it has printed is a token, or acts on a terminal. */
  async ended(): Promise<Ended> {
    const ended = await this.#ended;
    for (const text of [ended.stdout, ended.stderr]) {
      expect(text).not.toContain(TOKEN);
      expect(text).not.toContain(OTHER_TOKEN);
      expect(text).not.toMatch(UNSAFE);
    }
    return ended;
  }
}

/** A folder that is gone when the test is over. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'oada-jobs-cli '));
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** What a command about the service of a server needs to know. */
export function environmentOf(server: OADAServer): Record<string, string> {
  return { OADA_DOMAIN: server.url, OADA_TOKEN: TOKEN, OADA_JOBS_SERVICE: NAME };
}

export function start(server: OADAServer, ...args: readonly string[]): Running {
  return new Running(args, { environment: environmentOf(server) });
}

export async function run(server: OADAServer, ...args: readonly string[]): Promise<Ended> {
  return await start(server, ...args).ended();
}

export async function runAlone(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return await new Running(args, options).ended();
}

/** What it prints when all is well. */
export async function textOf(server: OADAServer, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(server, ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr });
  return stdout;
}

/** The objects that it prints with `--json` when all is well. */
export async function jsonOf(server: OADAServer, ...args: readonly string[]): Promise<Stored[]> {
  return linesOf(await textOf(server, ...args, '--json'));
}

export function linesOf(stdout: string): Stored[] {
  return stdout
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Stored => JSON.parse(line));
}
