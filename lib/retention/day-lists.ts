import { documentAt } from '../document-at.js';
import { StoreError } from '../errors.js';
import { isJsonObject } from '../json.js';
import type { Json } from '../json.js';
import type { Store } from '../oada/store.js';
import { entriesOf, entryPath, isAddressable, linkedId } from '../paths.js';
import type { FinalStatus, Layout, Paths } from '../paths.js';
import { isDay } from '../report/filed-jobs.js';

/** One of the lists in which the finished jobs of a day stand. */
export interface DayList {
  readonly date: string;
  readonly status: FinalStatus;
  /** Where its link stands. */
  readonly path: string;
  /** Its own resource; undefined where it is a part of the index. */
  readonly id: string | undefined;
  /** As the index tells it: that of versioned links only. */
  readonly rev: number | undefined;
}

/** What stands at a path. */
export type Found =
  | { readonly kind: 'document'; readonly data: Json | undefined; readonly etag: string }
  | { readonly kind: 'missing' }
  /** It belongs to another user. */
  | { readonly kind: 'foreign' };

export async function find(store: Store, path: string): Promise<Found> {
  try {
    const { data, etag } = await store.get(path);
    return { kind: 'document', data, etag };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === 'OADA_JOBS_STORE_NOT_FOUND') return { kind: 'missing' };
    if (error.code === 'OADA_JOBS_STORE_FORBIDDEN') return { kind: 'foreign' };
    throw error;
  }
}

async function readEntries(store: Store, path: string): Promise<[string, Json][]> {
  return [...entriesOf(await documentAt(store, path))];
}

/** Can it be taken out of its list? A store takes numbers for the indexes of an array. */
export function isRemovable(key: string): boolean {
  return isAddressable(key) && !/^\d+$/.test(key);
}

export function layoutsOf({ classic, nested }: Paths): readonly Layout[] {
  return [classic, nested];
}

/** The days of a status, of both layouts. */
export async function readDays(store: Store, paths: Paths, status: FinalStatus): Promise<DayList[]> {
  const days: DayList[] = [];
  for (const layout of layoutsOf(paths)) {
    days.push(...(await readIndex(store, layout.dayIndexes(status), status)));
  }
  return days;
}

/** The days of the failures that have a type, of both layouts. */
export async function readTypedDays(store: Store, paths: Paths): Promise<DayList[]> {
  const days: DayList[] = [];
  for (const layout of layoutsOf(paths)) {
    for (const [key] of await readEntries(store, layout.typedFailures)) {
      if (isAddressable(key)) days.push(...(await readIndex(store, layout.typedDayIndexes(key), 'failure')));
    }
  }
  return days;
}

async function readIndex(store: Store, index: string, status: FinalStatus): Promise<DayList[]> {
  return (await readEntries(store, index))
    .filter(([date]) => isDay(date))
    .map(([date, entry]) => {
      const rev = isJsonObject(entry) ? entry['_rev'] : undefined;
      return {
        ...{ date, status, path: entryPath(index, date), id: linkedId(entry) },
        rev: typeof rev === 'number' ? rev : undefined,
      };
    });
}

/** The jobs that the pending lists lead to. */
export async function readPending(store: Store, paths: Paths): Promise<ReadonlySet<string>> {
  const entries: [string, Json][] = [];
  for (const { pending } of layoutsOf(paths)) entries.push(...(await readEntries(store, pending)));
  return new Set(entries.flatMap(([, entry]) => linkedId(entry) ?? []));
}
