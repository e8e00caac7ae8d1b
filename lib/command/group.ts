import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';

import { sleep } from '../clock.js';
import type { Clock } from '../clock.js';

/** Whether a process can have a group of its own, which all that it starts belongs to. */
export const HAS_GROUPS: boolean = process.platform !== 'win32';

const FIRST_LOOK_MS = 5;
const LAST_LOOK_MS = 100;

/**
 * Ends a process and all that it has started: asks for it, and kills what is still there after `killAfter`. Resolves when
 * nothing is left, or nothing more can be done. What has left the group (`setsid`) is not reached.
 *
 * @param group the process id of its leader, which may have ended
 */
export async function endGroup(group: number, killAfter: number, clock: Clock): Promise<void> {
  if (!signal(group, 'SIGTERM')) return;
  const since = clock.monotonic();
  for (let pause = FIRST_LOOK_MS; await isAlive(group); pause = Math.min(pause * 2, LAST_LOOK_MS)) {
    const left = killAfter - (clock.monotonic() - since);
    if (left <= 0) break;
    await sleep(clock, Math.min(pause, left));
  }
  signal(group, 'SIGKILL'); // also where all looked dead: one may have been born while we looked
}

/** Is there nobody there, or nobody that may be told, the answer is no. */
function signal(group: number, name: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    if (HAS_GROUPS) return process.kill(-group, name);
    process.kill(group, 0);
    if (name !== 0) killTree(group, name);
    return true;
  } catch {
    return false; // ESRCH, EPERM
  }
}

/** What Windows has for it. */
function killTree(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  const args = ['/pid', String(pid), '/T', ...(name === 'SIGKILL' ? ['/F'] : [])];
  spawn('taskkill', args, { stdio: 'ignore', windowsHide: true }).on('error', () => undefined);
}

/**
 * Whether one of the group is there and not dead. The dead whose parent does not care stay in it: where this process is
 * the first of its container, that is so for all that lost its own.
 */
async function isAlive(group: number): Promise<boolean> {
  if (!signal(group, 0)) return false;
  if (process.platform !== 'linux') return true;
  try {
    for (const pid of await readdir('/proc')) {
      if (/^\d+$/.test(pid) && (await isMember(pid, group))) return true;
    }
    return false;
  } catch {
    return true; // there is no /proc to be read
  }
}

async function isMember(pid: string, group: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => ''); // it has ended meanwhile
  // pid (name) state parent group …; the name can hold anything, brackets too.
  const [state = 'X', , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return itsGroup === String(group) && state !== 'Z' && state !== 'X';
}

/**
 * Has the group killed should this process die without having ended it, even by SIGKILL. A shell of its own waits for a
 * line that says all is well, and sees the pipe close where none comes.
 *
 * @returns what says so
 */
export function guard(group: number): () => void {
  if (!HAS_GROUPS) return () => undefined;
  const script = 'trap "" HUP INT TERM; read -r _ || kill -s KILL -- "-$1"';
  const shell = spawn('/bin/sh', ['-c', script, 'sh', String(group)], {
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a shell there is no guard; the command runs all the same.
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  return () => {
    shell.stdin.end('\n');
  };
}
