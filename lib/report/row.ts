import { JsonPointer } from 'json-ptr';

import { isJsonObject, parseJson, stringify } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { FinalStatus } from '../paths.js';
import type { ResolvedReport } from './options.js';

/** What one job adds to a report: its columns. */
export type Row = JsonObject;

export interface Ending {
  readonly status: FinalStatus;
  readonly failureType: string | undefined;
}

/** Where a finished job stands in a day-index. */
export interface Place {
  /** UTC, as `2026-01-31` */
  readonly date: string;
  readonly key: string;
}

/** What is longer stays out of the row, in characters of JSON: no spreadsheet takes it, and no store a thousand of them. */
const LONGEST_VALUE = 100_000;

/** How a job ended, as far as its document says; what it says not, the list says that it stands in. */
export function endingOf(job: JsonObject, listed: FinalStatus | undefined): Ending {
  const { status, failureType } = job;
  const isFinal = status === 'success' || status === 'failure';
  return {
    status: isFinal ? status : (listed ?? 'success'),
    failureType: typeof failureType === 'string' ? failureType : undefined,
  };
}

/** The row of a job: every column has something in it, and be it nothing but empty text. */
export function rowOf({ columns, errorMappings }: ResolvedReport, job: JsonObject, ending: Ending): Row {
  return Object.fromEntries(
    columns.map(({ name, source }) => {
      if (source === 'errorMappings') return [name, endingText(errorMappings, ending)];
      return [name, storable(valueAt(job, source))];
    }),
  );
}

function endingText(texts: ReadonlyMap<string, string>, { status, failureType }: Ending): string {
  if (status === 'success') return texts.get('success') ?? 'Success';
  // Whoever throws an error can give it any type; a failure is never told as a success.
  const type = failureType === undefined || failureType === 'success' ? 'unknown' : failureType;
  return texts.get(type) ?? 'Other Error';
}

/** Only what the document itself holds: not what every object, text or list has. */
function valueAt(job: Json, keys: readonly string[]): Json | undefined {
  let value: Json | undefined = job;
  for (const key of keys) {
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d*)$/.test(key) ? value[Number(key)] : undefined;
    else value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

function storable(value: Json | undefined): Json {
  if (value === undefined) return '';
  const text = textOf(value);
  if (text === undefined || text.length > LONGEST_VALUE) return '(too large for a report)';
  // A store would take it for a link of the row, and follow it.
  return typeof value === 'object' && /"_(?:id|meta)":/.test(text) ? text : parseJson(text);
}

/** Undefined: it is nested too deep. */
function textOf(value: Json): string | undefined {
  try {
    return stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * Reads the end of a path: `…/day-index/<date>/<key>`.
 *
 * @returns undefined where it does not end so; `before` is what comes before it
 */
export function placeOf(path: string): (Place & { readonly before: string }) | undefined {
  const [, before = '', date, key] = /^(?:(.*?)\/)?day-index\/(\d{4}-\d\d-\d\d)\/(.+)$/s.exec(path) ?? [];
  if (date === undefined || key === undefined) return undefined;
  return { before, date, key: JsonPointer.decode(`/${key}`).join('/') };
}

/** The ending that a path within the lists tells: `/day-index/…`, or `/<failure type>/day-index/…`. */
export function endingAt(before: string): Ending {
  const failureType = before.split('/').at(-1) ?? '';
  if (failureType === '') return { status: 'success', failureType: undefined };
  return { status: 'failure', failureType: JsonPointer.decode(`/${failureType}`).join('/') };
}
