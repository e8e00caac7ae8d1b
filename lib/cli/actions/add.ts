import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';

import type { Duration } from '../../duration.js';
import { toMilliseconds } from '../../duration.js';
import { toError } from '../../errors.js';
import { resolveRequest } from '../../job-request.js';
import type { ResolvedRequest } from '../../job-request.js';
import { isJsonObject, parseJson } from '../../json.js';
import type { JsonObject } from '../../json.js';
import { submitTo } from '../../producer.js';
import { duration } from '../arguments.js';
import { CliError, orUsage } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import type { ServiceFlags } from '../settings.js';
import { printEnd } from './wait.js';

export interface AddFlags extends ServiceFlags {
  readonly config: string;
  readonly priority?: number;
  readonly startAfter?: string;
  readonly owner?: string;
  readonly key?: string;
  readonly resource?: readonly string[];
  readonly wait?: boolean;
  readonly timeout?: Duration;
}

export async function addJob(cli: Invocation, type: string, flags: AddFlags): Promise<void> {
  if (flags.timeout !== undefined && flags.wait !== true)
    throw new CliError('usage', '--timeout is for --wait: nothing is waited for without it');
  const config = await configOf(cli, flags.config);
  const session = await openSession(cli, flags);
  const request = orUsage(() => requestOf(session, type, config, flags));
  const { _id: id, key } = await submitTo(session.store, request, session.deps.clock);
  const { json = false, wait = false } = flags;
  if (wait) {
    cli.output.note(`Added ${id}. Waiting for its end …`);
    await printEnd(cli, session, id, flags);
  } else if (json) cli.output.json({ id, key, service: session.service, type });
  else cli.output.line(id);
}

function requestOf(
  { service, deps }: Session,
  type: string,
  config: JsonObject,
  { priority, startAfter, owner, key, resource }: AddFlags,
): ResolvedRequest {
  return resolveRequest({
    ...{ service, type, config },
    ...(priority !== undefined && { priority }),
    ...(startAfter !== undefined && { startAfter: startOf(startAfter, deps.clock.now()) }),
    ...(owner !== undefined && { owner }),
    ...(key !== undefined && { idempotencyKey: key }),
    ...(resource !== undefined && { resources: resource }),
  });
}

/** A time, or so long from now. */
function startOf(given: string, now: Date): Date | string {
  if (!/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(given)) return given;
  return new Date(now.getTime() + toMilliseconds(duration(given), 'startAfter', Infinity));
}

async function configOf({ stdin }: Invocation, given: string): Promise<JsonObject> {
  const json =
    given === '-' ? await text(stdin) : given.startsWith('@') ? await fileText(given.slice(1)) : given;
  const config = parsed(json);
  if (isJsonObject(config)) return config;
  throw new CliError(
    'usage',
    `--config has to be a JSON object, like '{"name": "world"}', @<file>, or - for stdin`,
  );
}

function parsed(json: string): unknown {
  try {
    return parseJson(json);
  } catch (error) {
    throw new CliError('usage', `--config is no JSON: ${toError(error).message}`, { cause: error });
  }
}

async function fileText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CliError('usage', `cannot read --config: ${toError(error).message}`, { cause: error });
  }
}
