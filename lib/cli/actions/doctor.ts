import { systemClock } from '../../clock.js';
import { StoreError } from '../../errors.js';
import { storeReader } from '../../operator/lists.js';
import { fail, warn } from '../doctor/check.js';
import type { Check } from '../doctor/check.js';
import {
  checkExistence,
  checkInstances,
  checkLists,
  checkQueues,
  checkSchedules,
  checkWriting,
} from '../doctor/service-checks.js';
import { checkAddress, checkToken } from '../doctor/store-checks.js';
import { CliError } from '../failure.js';
import type { Invocation } from '../invocation.js';
import { depsOf, openSettings } from '../session.js';
import type { Session } from '../session.js';
import { readSettings, serviceNamed } from '../settings.js';
import type { ServiceFlags, StoreSettings } from '../settings.js';
import { countOf, stateOf } from '../wording.js';

const SERVICE_CHECKS: readonly (readonly [name: string, look: (session: Session) => Promise<Check[]>])[] = [
  ['service', async (session) => [await checkExistence(session)]],
  ['permissions', async (session) => [await checkWriting(session)]],
  ['lists', checkLists],
  ['instances', checkInstances],
  ['schedules', checkSchedules],
  ['queues', checkQueues],
];

/** Looks at one thing after another, and stops where the rest has no chance. */
export async function examine(cli: Invocation, flags: ServiceFlags): Promise<void> {
  const { output } = cli;
  const settings = await readSettings(flags, cli.environment);
  output.hide(settings.token);
  const checks: Check[] = [];
  for await (const check of checksOf(cli, settings, flags)) {
    checks.push(check);
    if (flags.json === true) output.json(check);
  }
  const failed = checks.filter(({ state }) => state === 'fail').length;
  if (flags.json !== true) await print(cli, checks);
  if (failed > 0)
    throw new CliError('failed', `${countOf(failed, 'check')} failed: the advice is beside each`);
}

async function* checksOf(
  cli: Invocation,
  settings: StoreSettings,
  flags: ServiceFlags,
): AsyncGenerator<Check> {
  for (const warning of settings.warnings) yield warn('config file', warning, 'let nobody else read it');
  const address = await checkAddress(settings, systemClock);
  yield* address;
  if (address.some(({ state }) => state === 'fail')) return;
  const store = await openSettings(cli, { ...settings, warnings: [] });
  const token = await checkToken(store);
  yield* token;
  if (token.some(({ state }) => state === 'fail')) return;
  const service = serviceIn(cli, settings, flags);
  if (service === undefined) {
    yield warn(
      'service',
      'none was named, so that none was looked at',
      'give --service; `oada-jobs services` lists them',
    );
    return;
  }
  const deps = depsOf(service, store);
  yield* serviceChecks({ service, store, deps, lists: storeReader(deps) });
}

/** What there is to be said of a service. */
export async function* serviceChecks(session: Session): AsyncGenerator<Check> {
  for (const [name, look] of SERVICE_CHECKS) {
    const { checks, isEnd } = await outcomeOf(name, look(session));
    yield* checks;
    if (isEnd || (name === 'service' && checks.some(({ state }) => state !== 'ok'))) return;
  }
}

/** @returns also whether the store is away, so that the rest has no chance */
async function outcomeOf(
  name: string,
  looking: Promise<Check[]>,
): Promise<{ readonly checks: Check[]; readonly isEnd: boolean }> {
  try {
    return { checks: await looking, isEnd: false };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const advice = error.retryable
      ? 'see that the store is up, and try again'
      : 'see that the user of the token may read and write what is below the service';
    return { checks: [fail(name, error.message, advice)], isEnd: error.retryable };
  }
}

/** Undefined: none is named, which is no fault here. */
function serviceIn(
  { environment }: Invocation,
  settings: StoreSettings,
  { service }: ServiceFlags,
): string | undefined {
  const isNamed = [service, environment['OADA_JOBS_SERVICE'], settings.service].some(
    (name) => (name ?? '') !== '',
  );
  return isNamed ? serviceNamed(service, settings, environment) : undefined;
}

async function print({ output }: Invocation, checks: readonly Check[]): Promise<void> {
  await output.table(
    [{ title: 'CHECK' }, { title: 'STATE' }, { title: 'FOUND' }],
    checks.map(({ check, state, found }) => [check, stateOf(state), found]),
  );
  for (const { check, state, advice } of checks) {
    if (advice !== undefined) output.line(stateOf(state), ` ${check}: ${advice}`);
  }
}
