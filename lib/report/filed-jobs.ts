import { documentAt } from '../document-at.js';
import { objectOf } from '../json.js';
import type { Store } from '../oada/store.js';
import { isEntryKey, linkedId } from '../paths.js';
import type { FinalStatus, Layout, Paths } from '../paths.js';
import { isWithin, keysOf } from './record.js';
import type { Span } from './record.js';
import type { Place } from './row.js';

/** A link of a day-index. */
export interface FiledJob extends Place {
  readonly id: string;
  readonly status: FinalStatus;
}

/** The finished jobs of these days, in the order of the days, as the day-indexes of both layouts have them. */
export async function readFiled(store: Store, paths: Paths, span: Span): Promise<FiledJob[]> {
  const lists = [paths.classic, paths.nested].flatMap((layout) =>
    (['success', 'failure'] as const).map((status) => ({ layout, status })),
  );
  const filed = await Promise.all(
    lists.map(async ({ layout, status }) => await readIndex(store, layout, status, span)),
  );
  return filed.flat().toSorted((one, other) => (one.date < other.date ? -1 : Number(one.date > other.date)));
}

async function readIndex(store: Store, layout: Layout, status: FinalStatus, span: Span): Promise<FiledJob[]> {
  const filed: FiledJob[] = [];
  for (const date of keysOf(await documentAt(store, layout.dayIndexes(status)))) {
    if (!isDay(date) || !isWithin(span, date)) continue;
    const day = objectOf(await documentAt(store, layout.dayIndex(status, date)));
    for (const [key, entry] of Object.entries(day)) {
      const id = linkedId(entry);
      if (id !== undefined && isEntryKey(key)) filed.push({ date, key, id, status });
    }
  }
  return filed;
}

/** Anything may stand in a list, and this becomes part of a path. */
export function isDay(date: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(date);
}
