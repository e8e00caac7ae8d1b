import type { FinalStatus } from '../paths.js';
import { countEntries, filedDays } from './lists.js';
import type { ListReader } from './lists.js';
import { listInstances } from './instances.js';
import { isPaused } from './job-actions.js';
import type { OperatorDeps } from './operator-deps.js';

/** How many jobs there are, as JSON. */
export interface JobCounts {
  /** In the pending lists: those that run are among them. */
  readonly pending: number;
  /** As the instances told with their last heartbeats: up to some seconds ago. */
  readonly running: number;
  readonly instances: { readonly alive: number; readonly silent: number };
  readonly paused: boolean;
  /** The latest day first. */
  readonly days: readonly DayCounts[];
}

export type DayCounts = { readonly day: string } & Readonly<Record<FinalStatus, number>>;

/** @param most how many days are told of, from the latest on which jobs were filed */
export async function countJobs(deps: OperatorDeps, lists: ListReader, most = 7): Promise<JobCounts> {
  const [pending, instances, paused, days] = await Promise.all([
    countEntries(deps, lists, ({ pending }) => pending),
    listInstances(deps),
    isPaused(deps),
    countDays(deps, lists, most),
  ]);
  const alive = instances.filter(({ state }) => state === 'alive');
  return {
    pending,
    running: alive.reduce((sum, { running }) => sum + running, 0),
    instances: { alive: alive.length, silent: instances.length - alive.length },
    paused,
    days,
  };
}

async function countDays(deps: OperatorDeps, lists: ListReader, most: number): Promise<DayCounts[]> {
  const [successes, failures] = await Promise.all([filedDays(deps, 'success'), filedDays(deps, 'failure')]);
  const days = [...new Set([...successes, ...failures])].toSorted().toReversed().slice(0, most);
  const count = async (status: FinalStatus, day: string): Promise<number> =>
    (status === 'success' ? successes : failures).includes(day)
      ? await countEntries(deps, lists, (layout) => layout.dayIndex(status, day))
      : 0;
  return await Promise.all(
    days.map(async (day) => {
      const [success, failure] = await Promise.all([count('success', day), count('failure', day)]);
      return { day, success, failure };
    }),
  );
}
