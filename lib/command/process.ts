import { finished } from 'node:stream/promises';
import type { Readable } from 'node:stream';

import { waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import { JobError, toError } from '../errors.js';
import { endGroup, guard, HAS_GROUPS } from './group.js';

export type StreamName = 'stdout' | 'stderr';

export interface ProcessOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string | undefined;
  /** What it may read; undefined: nothing. */
  readonly input: string | undefined;
  /** In milliseconds. */
  readonly killAfter: number;
  readonly onOutput: (name: StreamName, chunk: Uint8Array) => void;
  /** Aborted when it is to end. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** How a process ended. */
export type Exit =
  { readonly kind: 'exit'; readonly exitCode: number } | { readonly kind: 'signal'; readonly signal: string };

/** How long the output is waited for when the process itself has ended: what it started may hold it open for ever. */
const LINGER_MS = 500;

/**
 * Runs a command, without a shell, in a process group of its own. Resolves when it has ended, whether by itself or
 * because it was told to, and all that it started with it.
 *
 * @throws {JobError} of type `spawn`: it could not be started
 * @throws the signal's reason, where that was aborted before it was started
 */
export async function runProcess(options: ProcessOptions): Promise<Exit> {
  const { command, args, env, cwd, input, onOutput, signal } = options;
  const { execa } = await import('execa'); // only those who run commands load it
  signal.throwIfAborted();
  const subprocess = execa(command, args, {
    env,
    extendEnv: false,
    ...(cwd !== undefined && { cwd }),
    detached: HAS_GROUPS,
    cleanup: false, // that is the guard's: this one knows the process alone, not what it starts
    encoding: 'buffer',
    buffer: false,
    reject: false,
    stdin: 'pipe',
  });
  const { pid, stdin, stdout, stderr } = subprocess;
  const exited = new Promise<Exit>((resolve) => {
    subprocess.once('exit', (exitCode, name) => {
      resolve(name === null ? { kind: 'exit', exitCode: exitCode ?? 0 } : { kind: 'signal', signal: name });
    });
  });
  // A command that does not read its input is none to complain of.
  for (const source of [subprocess, stdin, stdout, stderr]) source.on('error', () => undefined);
  if (pid === undefined) throw notStarted(command, await subprocess);
  stdout.on('data', (chunk: Uint8Array) => onOutput('stdout', chunk));
  stderr.on('data', (chunk: Uint8Array) => onOutput('stderr', chunk));
  stdin.end(input);
  const release = guard(pid);
  try {
    return await ended({ pid, exited, outputs: [stdout, stderr] }, options);
  } finally {
    release();
  }
}

interface Running {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly outputs: readonly Readable[];
}

/** Waits for the end, sees to it when it is time, and cleans up behind it. */
async function ended({ pid, exited, outputs }: Running, options: ProcessOptions): Promise<Exit> {
  const { signal, killAfter, clock } = options;
  const closed = Promise.all(outputs.map((output) => finished(output).catch(() => undefined)));
  await unlessAborted(exited, signal);
  // Of the others in the group, some may still be writing what has come to them.
  await unlessAborted(lingering(closed, clock), signal);
  await endGroup(pid, killAfter, clock);
  const exit = await exited;
  await lingering(closed, clock);
  for (const output of outputs) output.destroy(); // somebody who has left the group may hold it open
  return exit;
}

async function lingering(closed: Promise<unknown>, clock: Clock): Promise<void> {
  await waitAtMost(
    clock,
    LINGER_MS,
    closed.then(() => undefined),
  );
}

/** Resolves when something has happened, or there is no more time for it. */
async function unlessAborted(happening: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  let stop: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
  });
  signal.addEventListener('abort', stop, { once: true });
  await Promise.race([happening, aborted]);
  signal.removeEventListener('abort', stop);
}

/** Says no more than the system does: the arguments may hold what came with the job. */
function notStarted(command: string, { cause, originalMessage = '' }: SpawnFailure): JobError {
  const why = originalMessage === '' ? toError(cause).message : originalMessage;
  return new JobError(`The command ${JSON.stringify(command)} could not be started: ${why}`, {
    type: 'spawn',
    cause,
  });
}

interface SpawnFailure {
  readonly cause?: unknown;
  readonly originalMessage?: string | undefined;
}
