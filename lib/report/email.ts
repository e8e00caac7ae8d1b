import { untilOver } from '../clock.js';
import type { Clock } from '../clock.js';
import { ConfigError, toError } from '../errors.js';
import { isJsonObject, toJson } from '../json.js';
import type { Json, JsonArray, JsonObject } from '../json.js';
import type { ResolvedReport } from './options.js';

/** How long a function of somebody else, or a request by a client of somebody else, is waited for. */
const LONGEST_MS = 60_000;

/**
 * Makes the config of the e-mail's job.
 *
 * @throws {ConfigError} it is none that abalonemail takes
 */
export async function emailConfig(
  { name, email }: ResolvedReport,
  csv: string,
  clock: Clock,
): Promise<JsonObject> {
  const made = toJson(await within(clock, `email() of the report ${name}`, async () => email()), Infinity);
  if (!isJsonObject(made))
    throw new ConfigError(`expected email() of the report ${name} to return an object`);
  const [first, ...others] = listOf(made['attachments']);
  const attachment = {
    ...{ filename: `${name}.csv`, type: 'text/csv' },
    ...(isJsonObject(first) && first),
    content: Buffer.from(csv, 'utf8').toString('base64'),
  };
  const config = { ...made, attachments: [attachment, ...others] };
  await checkEmail(config, name);
  return config;
}

function listOf(value: Json | undefined): JsonArray {
  return Array.isArray(value) ? value : [];
}

/** @throws {ConfigError} */
async function checkEmail(config: unknown, name: string): Promise<void> {
  // only those who have reports load it
  const { assert }: { assert: (value: unknown) => void } =
    await import('@oada/types/trellis/service/abalonemail/config/email.js');
  try {
    assert(config);
  } catch (error) {
    // Its error holds all that was checked, so it does not go along.
    const { message } = toError(error);
    throw new ConfigError(`what email() of the report ${name} returned is no e-mail: ${message}`);
  }
}

/** @throws {Error} it took too long */
export async function within<T>(clock: Clock, what: string, work: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = untilOver(clock, LONGEST_MS, over.signal).then((): never => {
    throw new Error(`${what} took longer than ${String(LONGEST_MS / 1000)} s`);
  });
  late.catch(() => undefined); // nobody waits for it any more
  try {
    return await Promise.race([work(), late]);
  } finally {
    over.abort();
  }
}
