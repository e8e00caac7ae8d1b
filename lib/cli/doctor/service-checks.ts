import { ConfigError, StoreError, unlessMissing } from '../../errors.js';
import { listInstances } from '../../operator/instances.js';
import { isPaused } from '../../operator/job-actions.js';
import { linksOf, readPendingEntries } from '../../operator/lists.js';
import type { OperatorDeps } from '../../operator/operator-deps.js';
import { checkQueue, listQueues } from '../../operator/queues.js';
import { listServices } from '../../operator/services.js';
import { entriesOf, entryPath } from '../../paths.js';
import { layoutsOf } from '../../retention/day-lists.js';
import { Schedules } from '../../schedule/operations.js';
import { nearest } from '../nearest.js';
import type { Session } from '../session.js';
import { countOf, timeText } from '../wording.js';
import { fail, ok, warn } from './check.js';
import type { Check } from './check.js';

/** @returns what there is to be said, and whether there is such a service to be looked at further */
export async function checkExistence({ store, service }: Session): Promise<Check> {
  const services = await listServices(store);
  if (services.includes(service)) return ok('service', `${service} has its records in the store`);
  const alike = nearest(service, services);
  const advice = alike === undefined ? 'start the service, or add its first job' : `did you mean ${alike}?`;
  return warn('service', `nothing is known of ${service}`, advice);
}

/** Writes a key of no meaning below the service, reads it, and takes it out again. */
export async function checkWriting({ store, deps: { paths, clock } }: Session): Promise<Check> {
  const path = entryPath(paths.service, `doctor-${clock.key()}`);
  const use = async (): Promise<void> => {
    try {
      await store.put(path, { time: clock.now().toISOString() });
      await store.get(path);
    } catch (error) {
      // It may be there all the same: what the first problem was is told.
      await store.delete(path).catch(() => undefined);
      throw error;
    }
    await store.delete(path);
  };
  try {
    await use();
    return ok('permissions', 'the token may write, read and delete below the service');
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return fail('permissions', error.message, 'the user of the token has to own what is below the service');
  }
}

/** Which lists there are. Those that stand inside another resource have no revision of their own to be watched by. */
export async function checkLists({ store, deps }: Session): Promise<Check[]> {
  const { paths } = deps;
  const inline: string[] = [];
  const there = new Set<string>();
  for (const path of [...layoutsOf(paths).map(({ pending }) => pending), paths.queues]) {
    const found = await unlessMissing(store.head(path));
    if (found === undefined) continue;
    there.add(path);
    if (!/^\/?resources\/[^/]+\/?$/.test(found.location ?? '/resources/unknown')) inline.push(path);
  }
  const nested = there.has(paths.nested.pending);
  const classic = there.has(paths.classic.pending) && (!nested || (await hasClassicJobs(deps)));
  const stand = inline.length === 1 ? 'stands' : 'stand';
  const advice = 'move what is there away, and let the service make the list';
  return [
    layoutCheck(nested, classic),
    inline.length === 0
      ? ok('lists', 'each is a resource of its own')
      : fail('lists', `${inline.join(', ')} ${stand} inside another resource`, advice),
  ];
}

function layoutCheck(nested: boolean, classic: boolean): Check {
  if (nested && classic) return ok('layout', 'both: jobs (classic), and jobs/pending (nested)');
  if (nested) return ok('layout', 'nested: jobs/pending');
  if (classic) return ok('layout', 'classic: jobs');
  return warn('layout', 'there is no pending list yet', 'it is made by the service, or with the first job');
}

/** The nested lists stand in the classic one, which says nothing of its use. */
async function hasClassicJobs({ store, paths }: OperatorDeps): Promise<boolean> {
  const { classic } = paths;
  if (linksOf(entriesOf((await store.get(classic.pending)).data)).length > 0) return true;
  const indexes = (['success', 'failure'] as const).map((status) => classic.dayIndexes(status));
  const found = await Promise.all(indexes.map((path) => unlessMissing(store.head(path))));
  return found.some((index) => index !== undefined);
}

/** Is anybody there to do the work? */
export async function checkInstances({ service, deps, lists }: Session): Promise<Check[]> {
  const [instances, pending, paused] = await Promise.all([
    listInstances(deps),
    readPendingEntries(deps, lists),
    isPaused(deps),
  ]);
  const alive = instances.filter(({ state }) => state === 'alive').length;
  const silent = instances.length - alive;
  const checks: Check[] = [];
  if (alive > 0) checks.push(ok('instances', `${countOf(alive, 'instance')} alive`));
  else if (pending.length > 0) {
    const found = `${countOf(pending.length, 'job')} pending, and no instance of ${service} alive`;
    checks.push(fail('instances', found, 'start the service'));
  } else checks.push(warn('instances', `no instance of ${service} is alive`, 'start the service'));
  if (silent > 0) {
    const advice = 'they died, or lost the store; after a day, `oada-jobs prune` forgets them';
    checks.push(warn('heartbeats', `${countOf(silent, 'instance')} not heard of`, advice));
  }
  checks.push(
    paused
      ? warn('paused', `${service} is paused: no jobs are begun`, '`oada-jobs resume` has it go on')
      : ok('paused', 'no'),
  );
  return checks;
}

export async function checkSchedules({ deps }: Session): Promise<Check[]> {
  const schedules = new Schedules(deps);
  const [all, heldSince] = await Promise.all([schedules.list(), schedules.heldSince()]);
  const held = all.filter(({ heldBecause }) => heldBecause !== undefined).map(({ key }) => key);
  const checks: Check[] = [];
  if (heldSince !== undefined) {
    const advice = '`oada-jobs schedules release` lets them go on';
    checks.push(warn('schedules', `all are held since ${timeText(heldSince)} UTC`, advice));
  }
  if (held.length > 0) {
    const advice = 'mend their functions, and then: `oada-jobs schedules reset`';
    checks.push(warn('schedules', `held because their own functions throw: ${held.join(', ')}`, advice));
  }
  if (checks.length === 0 && all.length > 0)
    checks.push(ok('schedules', `${countOf(all.length, 'schedule')}, none held`));
  return checks;
}

/** The further queues: each has an address and a token of its own. */
export async function checkQueues({ deps }: Session): Promise<Check[]> {
  const queues = await listQueues(deps);
  return await Promise.all(
    queues.map(async ({ queue, domain = '' }) => {
      const { ok: isGood, problem = '' } = await checkQueue(deps, queue).catch(problemOf);
      if (isGood) return ok(`queue ${queue}`, `${domain} takes its token`);
      return fail(`queue ${queue}`, problem, 'remove it, and add it anew with a good address and token');
    }),
  );
}

function problemOf(error: unknown): { readonly ok: false; readonly problem: string } {
  if (error instanceof ConfigError || error instanceof StoreError)
    return { ok: false, problem: error.message };
  throw error;
}
