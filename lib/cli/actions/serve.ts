import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { toError } from '../../errors.js';
import type { OADAServer } from '../../server/server.js';
import { readToken } from '../config-file.js';
import { CliError } from '../failure.js';
import type { Invocation } from '../invocation.js';

export interface ServeFlags {
  readonly path: string;
  readonly memory?: boolean;
  readonly host: string;
  readonly port: number;
  readonly tokenFile: string;
  readonly user: string;
  readonly json?: boolean;
}

/** A store on this machine, until Ctrl-C. Its token is kept in a file, and never printed. */
export async function serve(cli: Invocation, flags: ServeFlags): Promise<void> {
  const { output, signal } = cli;
  const { memory = false, json = false } = flags;
  const tokenFile = resolve(flags.tokenFile);
  const token = await ensureToken(tokenFile);
  output.hide(token);
  const path = memory ? undefined : resolve(flags.path);
  const server = await start(flags, token, path);
  cli.endsItself('ok');
  try {
    const { url } = server;
    if (json) output.json({ url, tokenFile, ...(path !== undefined && { path }), user: flags.user });
    else {
      output.line({ text: `An OADA store listens at ${url}`, style: 'bold' });
      output.line(path === undefined ? 'All is gone when it stops.' : `Everything is kept in ${path}`);
      output.line('');
      output.line('To connect, in another terminal:');
      output.line(`  export OADA_DOMAIN=${url} OADA_TOKEN="$(cat ${quoted(tokenFile)})"`);
      output.line('');
      output.line('Ctrl-C stops it.');
    }
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await server.stop();
  }
}

async function start(
  { host, port, user }: ServeFlags,
  token: string,
  path: string | undefined,
): Promise<OADAServer> {
  const { OADAServer } = await import('../../server/server.js');
  try {
    const tokens = [{ token, user }];
    return await OADAServer.start({ host, port, tokens, ...(path !== undefined && { path }) });
  } catch (error) {
    throw new CliError('failed', toError(error).message, { cause: error });
  }
}

/** The one that is in the file; made up, and put there for its owner alone, where there is none. */
async function ensureToken(path: string): Promise<string> {
  const token = randomBytes(24).toString('base64url');
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${token}\n`, { mode: 0o600, flag: 'wx' });
    return token;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return await readToken(path);
    throw new CliError('failed', `cannot write the token: ${toError(error).message}`, { cause: error });
  }
}

/** For a shell. */
function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
