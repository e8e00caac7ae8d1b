import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import type { OADAClient } from '@oada/client';
import type { CommandOptions, Service, ServiceOptions } from '@oada/jobs';
import { expect, onTestFinished } from 'vitest';

import { jobOf, listen, makeService, newKey, postJob, runJob, startServer } from '../setup.js';
import type { Stored, Told } from '../setup.js';

const run = promisify(execFile);

export const NODE: string = process.execPath;

export function program(name: string): string {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url));
}

export interface Setting {
  readonly service: Service;
  readonly oada: OADAClient;
  readonly told: readonly Told[];
}

/** A service that has its jobs of type `command` done by one. */
export async function start(
  options: CommandOptions<Stored>,
  serviceOptions: ServiceOptions = {},
): Promise<Setting> {
  const server = await startServer();
  const service = makeService(server, 'in process', serviceOptions).onCommand('command', options);
  const told = listen(service);
  await service.start();
  return { service, oada: server.client(), told };
}

/** What becomes of a job that a command does. */
export async function runCommand(options: CommandOptions<Stored>, config: object = {}): Promise<Stored> {
  const { service, oada } = await start({ timeout: '15s', ...options });
  return await runJob(service, oada, jobOf('command', config));
}

/** Runs a piece of JavaScript as the command. */
export async function runScript(
  script: string,
  options: Partial<CommandOptions<Stored>> = {},
  config: object = {},
): Promise<Stored> {
  return await runCommand({ command: NODE, args: ['--eval', script], ...options }, config);
}

/** Posts a job of type `command`, and does not wait for it. */
export async function begin({ oada }: Setting): Promise<{ key: string; jobId: string }> {
  const key = newKey();
  const jobId = await postJob(oada, jobOf('command'), key);
  return { key, jobId };
}

/** What the updates of a job hold of what its command has printed. */
export function outputOf(job: Stored): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  for (const { status, meta } of updatesOf(job)) {
    if (status === 'output') output[meta.stream as 'stdout' | 'stderr'] += String(meta.text);
  }
  return output;
}

export function updatesOf(job: Stored): Stored[] {
  const entries = Object.entries<Stored>(job.updates);
  return entries.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, update]) => update);
}

/** A word for the arguments of a command and all that it starts. Whatever is there when the test ends is killed. */
export function newMark(): string {
  const mark = `mark-${randomUUID()}`;
  onTestFinished(async () => {
    for (const pid of await marked(mark)) process.kill(pid, 'SIGKILL');
  });
  return mark;
}

/** The processes that have the mark, and are not dead. */
export async function marked(mark: string): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=,stat=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, state = 'Z'] = /^\s*(\d+)\s+(\S+)/.exec(line) ?? [];
    return line.includes(mark) && !state.startsWith('Z') && !line.includes('ps -A') ? [Number(pid)] : [];
  });
}

/** Resolves when nothing has the mark any more. */
export async function untilGone(mark: string): Promise<void> {
  await expect.poll(() => marked(mark), { timeout: 10_000 }).toEqual([]);
}

/** Resolves when so many of a family are there, and have done what they do first. */
export async function untilGrown(mark: string, count: number): Promise<void> {
  await expect.poll(async () => (await marked(`grown ${mark}`)).length, { timeout: 10_000 }).toBe(count);
}
