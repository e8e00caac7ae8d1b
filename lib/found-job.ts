import type { Clock } from './clock.js';
import type { Json } from './json.js';
import { keyTime } from './key.js';
import { linkedId } from './paths.js';
import type { Layout, Paths } from './paths.js';

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
  /** Since when it can be run, as far as that is known: milliseconds of the time of day. */
  readonly waitingSince: number;
  /** How often it has been looked at, this time included. */
  readonly tries: number;
  /** An instance that is known to be dead: its claim counts for nothing. */
  readonly dead: string | undefined;
}

/** Where an entry stands, as far as this queue knows. */
export type EntryState =
  | { readonly kind: 'found' | 'reading' | 'due' | 'held' | 'done'; readonly found: FoundJob }
  /** It is running, and its link was deleted. */
  | { readonly kind: 'gone'; readonly found: FoundJob; readonly type: string; readonly lease: Filing }
  | { readonly kind: 'delayed'; readonly found: FoundJob; readonly cancelTimer: () => void }
  | {
      readonly kind: 'running';
      readonly found: FoundJob;
      readonly type: string;
      readonly lease: Filing;
      readonly runner: Cancellable;
    };

/** Of a job that this instance has taken: tells whether it is over, and only has to be filed. */
export interface Filing {
  readonly isFiling: boolean;
}

interface Cancellable {
  cancel(why?: string): void;
}

export function foundJob(layout: Layout, key: string, entry: Json, clock: Clock): FoundJob {
  const jobId = linkedId(entry);
  const id = entryId(layout, key);
  const since = clock.monotonic();
  const waitingSince = submittedAt(key, jobId, clock.now().getTime());
  return { id, layout, key, entry, jobId, since, waitingSince, tries: 1, dead: undefined };
}

/** The same, when it is known that it is not to be run before then. */
export function notBefore(found: FoundJob, until: Date): FoundJob {
  return { ...found, dead: undefined, waitingSince: until.getTime() };
}

/** The entries with a key, of the lists of both layouts. */
export function withKey(
  states: ReadonlyMap<string, EntryState>,
  key: string,
  { classic, nested }: Paths,
): EntryState[] {
  return [classic, nested].flatMap((layout) => states.get(entryId(layout, key)) ?? []);
}

export function entryId(layout: Layout, key: string): string {
  return `${layout.name} ${key}`;
}

/** Keys tell the time by the second, and their makers' clocks may differ: what is no older than this is new. */
const NEW_MS = 2000;

/** When a job was submitted, where its keys tell; of one that is new, or whose keys tell nothing, now. */
function submittedAt(key: string, jobId: string | undefined, now: number): number {
  const own = jobId?.slice('resources/'.length) ?? key;
  const latest = Math.max(keyTime(key) ?? 0, own === key ? 0 : (keyTime(own) ?? 0));
  return latest === 0 || latest > now - NEW_MS ? now : latest;
}
