import type { Json } from './json.js';
import { linkedId } from './paths.js';
import type { Layout } from './paths.js';

/** An entry of a pending list. */
export interface FoundJob {
  /** Tells it from all others of its queue: the lists of both layouts may have the same key. */
  readonly id: string;
  /** That of the list it was found in; it is filed in the same. */
  readonly layout: Layout;
  readonly key: string;
  /** The resource that it links to; undefined where the entry is no link. */
  readonly jobId: string | undefined;
  /** What stands in the list. */
  readonly entry: Json;
  /** When it was found, by the monotonic clock. */
  readonly since: number;
  /** How often it has been looked at, this time included. */
  readonly tries: number;
  /** An instance that is known to be dead: its claim counts for nothing. */
  readonly dead: string | undefined;
}

/** Where an entry stands, as far as this queue knows. */
export type EntryState =
  | { readonly kind: 'found' | 'reading' | 'due' | 'held' | 'done'; readonly found: FoundJob }
  /** It is running, and its link was deleted. */
  | { readonly kind: 'gone'; readonly found: FoundJob }
  | { readonly kind: 'delayed'; readonly found: FoundJob; readonly cancelTimer: () => void }
  | { readonly kind: 'running'; readonly found: FoundJob; readonly runner: Cancellable };

interface Cancellable {
  cancel(why?: string): void;
}

export function foundJob(layout: Layout, key: string, entry: Json, since: number): FoundJob {
  const id = entryId(layout, key);
  return { id, layout, key, entry, jobId: linkedId(entry), since, tries: 1, dead: undefined };
}

export function entryId(layout: Layout, key: string): string {
  return `${layout.name} ${key}`;
}
