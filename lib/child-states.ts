import type { Clock } from './clock.js';
import { documentAt } from './document-at.js';
import { isFinalDocument } from './job.js';
import { isJsonObject, objectOf } from './json.js';
import type { Json, JsonObject } from './json.js';
import type { Store } from './oada/store.js';
import { isServiceName, linkedId, pathsOf } from './paths.js';

/** A child as its document stands. */
export interface ChildState {
  readonly name: string;
  readonly _id: string;
  /** Empty where it is not written yet. */
  readonly document: JsonObject;
}

/** What has to be known of a job for it to be cancelled. */
export interface CancelledJob {
  readonly _id: string;
  readonly service: string;
}

interface CancelDeps {
  readonly store: Store;
  readonly clock: Clock;
}

/** How many are read at once. */
const AT_ONCE = 100;

/**
 * The children that a job's document names, as they stand.
 *
 * @param known the ids of those that need not be read
 */
export async function childStates(
  document: Json | undefined,
  store: Pick<Store, 'get'>,
  known: ReadonlySet<string> = new Set(),
): Promise<ChildState[]> {
  const named = Object.entries(childrenOf(document)).flatMap(
    ([name, entry]): { name: string; _id: string }[] => {
      const _id = linkedId(entry);
      return _id === undefined || known.has(_id) ? [] : [{ name, _id }];
    },
  );
  const states: ChildState[] = [];
  for (let index = 0; index < named.length; index += AT_ONCE) {
    const some = named.slice(index, index + AT_ONCE).map(async ({ name, _id }) => {
      const data = await documentAt(store, `/${_id}`);
      return { name, _id, document: isJsonObject(data) ? data : {} };
    });
    states.push(...(await Promise.all(some)));
  }
  return states;
}

/** Does a job's document name it as a child? */
export function isChild(
  document: Json | undefined,
  { name, _id }: { readonly name: string; readonly _id: string },
): boolean {
  const children = childrenOf(document);
  return Object.hasOwn(children, name) && linkedId(children[name]) === _id;
}

function childrenOf(document: Json | undefined): JsonObject {
  return objectOf(objectOf(document)['children']);
}

/** A job is not run, or not any further: its children are of no use any more. */
export async function cancelChildren(document: Json | undefined, deps: CancelDeps): Promise<void> {
  await cancelJobs(await unfinishedChildren(document, deps.store), deps);
}

/** Those that are not over, as far as their documents say whose they are. */
export async function unfinishedChildren(
  document: Json | undefined,
  store: Pick<Store, 'get'>,
  known?: ReadonlySet<string>,
): Promise<CancelledJob[]> {
  const states = await childStates(document, store, known);
  return states.flatMap(({ _id, document: child }) => {
    const { service } = child;
    return isFinalDocument(child) || !isServiceName(service) ? [] : [{ _id, service }];
  });
}

/** Asks whichever instances have the jobs. */
export async function cancelJobs(jobs: readonly CancelledJob[], { store, clock }: CancelDeps): Promise<void> {
  const time = clock.now().toISOString();
  const byService = new Map<string, Record<string, Json>>();
  for (const { service, _id } of jobs) {
    const requests = byService.get(service) ?? {};
    byService.set(service, requests);
    requests[_id.slice('resources/'.length)] = { time };
  }
  for (const [service, requests] of byService) {
    const paths = pathsOf(service);
    await store.ensure(paths.controls, paths.tree);
    await store.put(paths.controls, { cancel: requests });
  }
}
