import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A program of this folder in a process that ends when this one does. Its first message says that it is ready. */
export function run(
  program: string,
  args: readonly string[],
  { flags = [], output = 'inherit' }: { flags?: readonly string[]; output?: 'inherit' | 'pipe' } = {},
): ChildProcess {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return spawn(process.execPath, [...flags, '--import', 'tsx', file, ...args], {
    stdio: ['ignore', output, 'inherit', 'ipc'],
  });
}

/** What it says first. */
export async function ready(child: ChildProcess): Promise<string> {
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('A process ended before it was ready'))),
  ])) as [unknown];
  return String(message);
}

export async function end(child: ChildProcess, how: 'SIGKILL' | 'stop' = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (how === 'stop') child.send('stop');
  else child.kill('SIGKILL');
  await exited;
}
