import { documentAt } from '../document-at.js';
import { unlessMissing } from '../errors.js';
import { IDLE_BEAT_MS } from '../instances.js';
import { objectOf } from '../json.js';
import type { Json } from '../json.js';
import { entriesOf, isAddressable, linkedId } from '../paths.js';
import type { OperatorDeps } from './operator-deps.js';

/** An instance of the service, by its heartbeat, as JSON: all times are ISO 8601 in UTC. */
export interface InstanceSummary {
  readonly instance: string;
  readonly host?: string;
  readonly pid?: number;
  readonly started?: string;
  /** When it was last heard of, by the clock of the store. */
  readonly heard?: string;
  /** `silent`: its heartbeat is late. It may have died, or have lost its store. */
  readonly state: 'alive' | 'silent';
  /** How many jobs it runs at once. */
  readonly concurrency?: number;
  /** How many it runs, as it told with its last heartbeat; without those that only have to be filed. */
  readonly running: number;
  /** Some of them, like `resources/abc`: a hundred at most. */
  readonly jobs: readonly string[];
}

/** Over and above what a heartbeat may take: for the clocks of two machines, and a slow store. */
const LATENESS_MS = 10_000;
const DEFAULT_LEASE_MS = 15_000;

/** What an instance has told of itself, and how long it may be silent after that. */
export interface Heartbeat {
  readonly told: Omit<InstanceSummary, 'state'>;
  /** In milliseconds. */
  readonly patience: number;
}

/** The instances that have not been stopped cleanly, the one that was started last first. */
export async function listInstances(deps: OperatorDeps): Promise<InstanceSummary[]> {
  const { store, paths, clock } = deps;
  const entries = entriesOf(await documentAt(store, paths.instances)).values();
  const all = await Promise.all([...entries].map((entry) => readHeartbeat(deps, linkedId(entry))));
  const now = clock.now();
  return all
    .flatMap((heartbeat) => (heartbeat === undefined ? [] : [instanceAt(heartbeat, now)]))
    .toSorted((one, other) => ((one.started ?? '') > (other.started ?? '') ? -1 : 1));
}

/** The instance as it has to be taken for at a time. */
export function instanceAt({ told, patience }: Heartbeat, now: Date): InstanceSummary {
  const age = told.heard === undefined ? Infinity : now.getTime() - Date.parse(told.heard);
  return { ...told, state: age > patience ? 'silent' : 'alive' };
}

/** @returns undefined where it is gone */
export async function readHeartbeat(
  { store }: OperatorDeps,
  id: string | undefined,
): Promise<Heartbeat | undefined> {
  if (id === undefined) return undefined;
  const [found, meta] = await Promise.all([
    unlessMissing(store.get(`/${id}`)),
    unlessMissing(store.get(`/${id}/_meta`)),
  ]);
  if (found === undefined) return undefined;
  const { host, pid, started, concurrency, running, filing, jobs, leaseTimeout } = objectOf(found.data);
  const { modified } = objectOf(meta?.data);
  const heard = typeof modified === 'number' ? new Date(modified * 1000) : undefined;
  const lease = typeof leaseTimeout === 'number' ? leaseTimeout : DEFAULT_LEASE_MS;
  const own = typeof running === 'number' ? running : 0;
  const holdsSome = own > 0 || (typeof filing === 'number' && filing > 0);
  return {
    patience: (holdsSome ? lease : IDLE_BEAT_MS) + LATENESS_MS,
    told: {
      instance: id.slice('resources/'.length),
      running: own,
      jobs: Array.isArray(jobs) ? jobs.flatMap((job: Json) => linkedId({ _id: job }) ?? []) : [],
      ...(typeof host === 'string' && { host }),
      ...(typeof pid === 'number' && { pid }),
      ...(typeof started === 'string' && { started }),
      ...(typeof concurrency === 'number' && { concurrency }),
      ...(heard !== undefined && { heard: heard.toISOString() }),
    },
  };
}

/** Takes those out of the list that have not been heard of for a day: their process was killed while they had no job. */
export async function forgetSilent(deps: OperatorDeps): Promise<number> {
  const { store, paths, clock } = deps;
  const before = new Date(clock.now().getTime() - 86_400_000).toISOString();
  const silent = (await listInstances(deps)).filter(
    ({ state, heard = '', instance }) => state === 'silent' && heard < before && isAddressable(instance),
  );
  for (const { instance } of silent) await store.delete(paths.instance(instance));
  return silent.length;
}
