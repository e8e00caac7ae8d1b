import type { DayIndex } from './day-index.js';
import { StoreError } from './errors.js';
import type { FoundJob } from './found-job.js';
import type { Json } from './json.js';
import type { Store } from './oada/store.js';
import { dayOf, entryPath, isAddressable, metaLink } from './paths.js';
import type { FinalStatus, Paths } from './paths.js';
import { insist } from './storing.js';
import type { StoringDeps } from './storing.js';

export interface FilingDeps extends StoringDeps {
  readonly service: string;
  readonly paths: Paths;
  readonly store: Store;
  readonly dayIndex: DayIndex;
  /** Does the key lead to another job by now? */
  isRelinked(found: FoundJob): boolean;
}

/** How a job's document says that it ended. */
export interface FinalJob {
  readonly jobId: string;
  readonly status: FinalStatus;
  readonly failureType: string | undefined;
  /** What its producer wants to be linked to it. */
  readonly resources: readonly string[];
  /** The user it belongs to. */
  readonly owner: string | undefined;
  /** When it ended; now, where its document does not say. */
  readonly time: Date | undefined;
}

/** Told of a resource, or a list besides the day-index, that could not be linked to the job. */
type OnUnlinked = (resource: string, error: StoreError) => void;

/**
 * Moves a job from the pending list to the day-index of the same layout; a failure of a type of its own to that type's,
 * too; and the resources that it names are linked to it. Then the pending link is removed: a crash between the two leaves a
 * job that is pending and final, and whoever finds it files it, under the same day.
 *
 * @returns the path of its link in the day-index
 */
export async function fileJob(
  found: FoundJob,
  final: FinalJob,
  onUnlinked: OnUnlinked,
  deps: FilingDeps,
): Promise<string> {
  const { store, dayIndex, clock } = deps;
  const { key, layout } = found;
  const { jobId, status, failureType, time } = final;
  const day = dayOf(time ?? clock.now());
  const named = isAddressable(key) ? key : jobId.slice('resources/'.length);
  const index = layout.dayIndex(status, day);
  const typed =
    status === 'failure' && failureType !== undefined ? [layout.typedFailure(failureType, day)] : [];
  const link = layout.filedLink(jobId);
  const ofUser = final.owner === undefined ? [] : [deps.paths.userJobs(final.owner)];
  const further = [
    ...typed.map((path) => ({ path, link })),
    ...ofUser.map((path) => ({ path, link: { _id: jobId } })),
  ];
  await Promise.all([
    insist(() => dayIndex.add(index, named, link), deps),
    ...further.map(async ({ path, link: entry }) => {
      await insist(() => dayIndex.add(path, named, entry), deps).catch((error: unknown) => {
        tellUnlinked(path, error, onUnlinked);
      });
    }),
    ...final.resources.map((resource) =>
      linkResource(resource, metaLink(deps.service, named, jobId), { store, onUnlinked }),
    ),
  ]);
  if (isAddressable(key) && !deps.isRelinked(found))
    await insist(() => store.delete(layout.pendingLink(key)), deps);
  return entryPath(index, named);
}

/** A resource that is not there, or that refuses the link, keeps no job from being filed. */
async function linkResource(
  resource: string,
  meta: Json,
  { store, onUnlinked }: { readonly store: Store; readonly onUnlinked: OnUnlinked },
): Promise<void> {
  try {
    await store.head(`/${resource}`); // a write below one that is not there fails as if it may succeed later
    await store.put(`/${resource}/_meta`, meta);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    onUnlinked(resource, error);
  }
}

/** What only comes on top of the day-index keeps no job from being filed; what may pass is tried again as a whole. */
function tellUnlinked(what: string, error: unknown, onUnlinked: OnUnlinked): void {
  if (!(error instanceof StoreError) || error.retryable) throw error;
  onUnlinked(what, error);
}
