import { documentAt } from '../document-at.js';
import type { Store } from '../oada/store.js';
import { entriesOf, isAddressable, isEntryKey, isJobKey, linkedId } from '../paths.js';
import type { FinalStatus, Layout } from '../paths.js';
import { layoutsOf, readDays } from '../retention/day-lists.js';
import type { OperatorDeps } from './operator-deps.js';

/** A link to a job in a list. */
export interface ListEntry {
  readonly key: string;
  readonly id: string;
}

/** Where lists of links are read from: the store, or what a watch of it keeps. */
export interface ListReader {
  /** The entries by their keys; none where there is no such list. */
  readonly entries: (path: string) => Promise<readonly ListEntry[]>;
  /** How many those are. */
  readonly count: (path: string) => Promise<number>;
}

/** Each time from the store. */
export function storeReader({ store }: Pick<OperatorDeps, 'store'>): ListReader {
  const entries = (path: string): Promise<readonly ListEntry[]> => readLinks(store, path);
  return { entries, count: async (path) => (await entries(path)).length };
}

/** None where there is no such list. */
async function readLinks(store: Store, path: string): Promise<readonly ListEntry[]> {
  return linksOf(entriesOf(await documentAt(store, path)));
}

/** What of the entries of a list links to jobs, in the order of their keys: those of most producers sort by time. */
export function linksOf(entries: Iterable<readonly [string, unknown]>): ListEntry[] {
  const links: ListEntry[] = [];
  for (const [key, entry] of entries) {
    const id = linkedId(entry);
    if (id !== undefined && isEntryKey(key) && isJobKey(key) && isAddressable(key)) links.push({ key, id });
  }
  return links.sort(byKey);
}

export function byKey(one: ListEntry, other: ListEntry): number {
  return one.key < other.key ? -1 : Number(one.key > other.key);
}

/** The jobs that are not over, the oldest first, with the layout of their list. */
export async function readPendingEntries(
  { paths }: OperatorDeps,
  lists: ListReader,
): Promise<(ListEntry & { readonly layout: Layout })[]> {
  const all = await Promise.all(
    layoutsOf(paths).map(async (layout) =>
      (await lists.entries(layout.pending)).map((entry) => ({ ...entry, layout })),
    ),
  );
  return all.flat().toSorted(byKey);
}

/** The days on which jobs were filed under a status, the latest first. */
export async function filedDays({ store, paths }: OperatorDeps, status: FinalStatus): Promise<string[]> {
  const days = await readDays(store, paths, status);
  return [...new Set(days.map(({ date }) => date))].toSorted().toReversed();
}

/** The jobs that were filed on a day, those of the later keys first. */
export async function readFiledEntries(
  { paths }: OperatorDeps,
  lists: ListReader,
  { status, day, failureType }: { status: FinalStatus; day: string; failureType?: string | undefined },
): Promise<ListEntry[]> {
  const all = await Promise.all(
    layoutsOf(paths).map((layout) =>
      lists.entries(
        failureType === undefined ? layout.dayIndex(status, day) : layout.typedFailure(failureType, day),
      ),
    ),
  );
  const [one = [], ...others] = all.filter((entries) => entries.length > 0);
  const inOrder = others.length === 0 ? one : [one, ...others].flat().sort(byKey);
  return inOrder.toReversed();
}

/** How many jobs are in the lists of both layouts. */
export async function countEntries(
  { paths }: Pick<OperatorDeps, 'paths'>,
  lists: ListReader,
  pathOf: (layout: Layout) => string,
): Promise<number> {
  const counts = await Promise.all(layoutsOf(paths).map((layout) => lists.count(pathOf(layout))));
  return counts.reduce((sum, count) => sum + count, 0);
}
