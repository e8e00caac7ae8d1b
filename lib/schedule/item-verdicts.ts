import { toError } from '../errors.js';
import type { JsonObject } from '../json.js';
import { itemScheduleKey } from './item-options.js';
import type { ItemTemplate } from './item-options.js';
import type { ScheduleRow } from './row.js';

/** What an item of a list comes to. */
export type Verdict =
  /** It is to have a schedule of that key. */
  | { readonly kind: 'wanted'; readonly key: string }
  | { readonly kind: 'unwanted'; readonly key: string }
  /** Its schedule, if it has one, is left as it is; where the key is undefined, that may be any. */
  | { readonly kind: 'unknown'; readonly key: string | undefined; readonly error: Error | undefined }
  /** It can have no schedule. */
  | { readonly kind: 'refused'; readonly error: Error };

/** An item as far as it is known. */
export interface ItemView {
  /** Undefined while it has not been read, or cannot be. */
  readonly value: JsonObject | undefined;
  /** Why it cannot. */
  readonly error: Error | undefined;
}

/** What is to be done about the schedules of a list's items. */
export interface Arrangement {
  /** The keys of the schedules that there are to be, and the item that each is of. */
  readonly wanted: ReadonlyMap<string, string>;
  /** Those that stay as they are, in the same way. */
  readonly left: ReadonlyMap<string, string>;
  /** Those that are to go. */
  readonly retire: readonly string[];
  /** How many stay because the list is empty. */
  readonly kept: number;
  /** The items that cannot have a schedule, or not be judged, and why. */
  readonly complaints: ReadonlyMap<string, Error>;
}

/** @param before the key of its schedule, as it was when that was last known */
export function judge(
  template: ItemTemplate,
  item: string,
  { value, error }: ItemView,
  before: string | undefined,
): Verdict {
  const { name, where, keyOf } = template;
  let own: unknown = item;
  if (keyOf !== undefined) {
    if (value === undefined) return { kind: 'unknown', key: before, error };
    try {
      own = keyOf(value, item);
    } catch (thrown) {
      return { kind: 'unknown', key: before, error: toError(thrown) };
    }
  }
  let key: string;
  try {
    key = itemScheduleKey(name, own);
  } catch (thrown) {
    return { kind: 'refused', error: toError(thrown) };
  }
  if (where === undefined)
    return error === undefined ? { kind: 'wanted', key } : { kind: 'unknown', key, error };
  if (value === undefined) return { kind: 'unknown', key, error };
  try {
    return { kind: isTrue(where(value, item)) ? 'wanted' : 'unwanted', key };
  } catch (thrown) {
    return { kind: 'unknown', key, error: toError(thrown) };
  }
}

/** A promise, say, would always be a yes. */
function isTrue(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer;
  throw new TypeError(`where has to say true or false, and gave something else (${typeof answer})`);
}

/**
 * Nothing goes because of what is not known: the list is empty, or what some item is called cannot be told.
 *
 * @param removed the keys of schedules whose items somebody was seen to take away
 * @param isTaken is it the key of a schedule that is of no item?
 */
export function arrange(
  verdicts: ReadonlyMap<string, Verdict>,
  rows: readonly ScheduleRow[],
  removed: ReadonlySet<string>,
  isTaken: (key: string) => boolean,
): Arrangement {
  const wanted = new Map<string, string>();
  const left = new Map<string, string>();
  const unwanted = new Set<string>();
  const complaints = new Map<string, Error>();
  let isSure = [...verdicts.values()].some(({ kind }) => kind !== 'refused');
  const isEmpty = !isSure;
  // In the order of their keys: all instances give the same key to the same item.
  for (const [item, verdict] of [...verdicts].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    if ('error' in verdict && verdict.error !== undefined) complaints.set(item, verdict.error);
    if (verdict.kind === 'refused') continue;
    const { kind, key } = verdict;
    if (key === undefined) isSure = false;
    else if (isTaken(key)) complaints.set(item, new Error(`there is a schedule ${key} that is of no item`));
    else if (kind === 'unwanted') unwanted.add(key);
    else if (kind === 'unknown') left.set(key, left.get(key) ?? item);
    else if (wanted.has(key)) complaints.set(item, new Error(`another item has the schedule ${key}`));
    else wanted.set(key, item);
  }
  const others = rows.filter(({ key, isRetired }) => !isRetired && !wanted.has(key) && !left.has(key));
  const retire = others
    .map(({ key }) => key)
    .filter((key) => isSure || unwanted.has(key) || removed.has(key));
  return { wanted, left, retire, complaints, kept: isEmpty ? others.length - retire.length : 0 };
}
