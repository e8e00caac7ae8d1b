import { JsonPointer } from 'json-ptr';

import { ConfigError } from '../errors.js';
import { isJsonObject, stringify } from '../json.js';
import type { JsonObject } from '../json.js';
import { checkNames, expected } from '../options.js';
import { isAddressable, isEntryKey } from '../paths.js';
import { occurrencesOf } from './schedule.js';
import type { Occurrences } from './schedule.js';

/** What a report's rows are made of. */
export interface ReportConfig {
  /**
   * Each column, in order, and what stands in it: a JSON pointer into the job document (`/config/first`,
   * `/result/id`), or the word `errorMappings` for how the job ended.
   */
  readonly jobMappings: Readonly<Record<string, string>>;
  /**
   * What stands in a column of `errorMappings`, by the job's `failureType`. `unknown` is for failures without one,
   * `success` for jobs that did not fail. A type that is not named here gives `Other Error`.
   */
  readonly errorMappings?: Readonly<Record<string, string>>;
}

/** Somebody with an e-mail address. */
export type EmailAddress = string | { readonly email: string; readonly name?: string };

/** What an abalonemail job is told. */
export interface ReportEmail {
  readonly from: EmailAddress;
  readonly to: EmailAddress | readonly EmailAddress[];
  readonly replyTo?: EmailAddress;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  /** The content of the first is the report's CSV, in base64; it is made where there is none. */
  readonly attachments?: readonly ReportAttachment[];
  readonly [option: string]: unknown;
}

export interface ReportAttachment {
  /** `<name of the report>.csv` for the first, where it has none. */
  readonly filename?: string;
  readonly type?: string;
  readonly content?: unknown;
  readonly [option: string]: unknown;
}

export interface ReportOptions {
  /** Names its records in the store. One service has one report of a name. */
  readonly name: string;
  readonly reportConfig: ReportConfig;
  /** When a period ends and is sent: cron, of 5 or 6 fields; the first of 6 are the seconds. */
  readonly frequency: string;
  /** The zone that `frequency` is meant in. @defaultValue 'America/New_York' */
  readonly timeZone?: string;
  /** Makes the config of the abalonemail job. The CSV becomes the content of its first attachment. */
  readonly email: () => ReportEmail | Promise<ReportEmail>;
  /** The job type, or the types, that are in the report. All, where it is left out. */
  readonly type?: string | readonly string[];
  /** Which jobs are in it; is given the job's document. All, where it is left out. */
  readonly filter?: (job: JsonObject) => boolean;
  /** Whether a period without rows is sent as well. @defaultValue false */
  readonly sendEmpty?: boolean;
}

export interface Column {
  readonly name: string;
  /** The keys of the way into the job document. */
  readonly source: readonly string[] | 'errorMappings';
}

/** A report as it was checked. */
export interface ResolvedReport {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly errorMappings: ReadonlyMap<string, string>;
  readonly occurrences: Occurrences;
  readonly email: () => unknown;
  /** Undefined: all. */
  readonly types: ReadonlySet<string> | undefined;
  readonly filter: (job: JsonObject) => unknown;
  readonly sendEmpty: boolean;
}

export const reportDefaults: Readonly<Required<Pick<ReportOptions, 'timeZone' | 'sendEmpty'>>> =
  Object.freeze({
    timeZone: 'America/New_York',
    sendEmpty: false,
  });

const names = ['name', 'reportConfig', 'frequency', 'timeZone', 'email', 'type', 'filter', 'sendEmpty'];

/** @throws {ConfigError} */
export function resolveReport(options: ReportOptions, now: Date): ResolvedReport {
  const given: unknown = options; // what comes from JavaScript may be anything
  if (!isJsonObject(given)) throw expected('report', 'an object', given);
  checkNames(options, names);
  const { name, reportConfig, frequency, timeZone = reportDefaults.timeZone, email, type, filter } = options;
  const { sendEmpty = reportDefaults.sendEmpty } = options;
  checkName(name);
  if (typeof email !== 'function') throw expected('email', 'a function', email);
  if (filter !== undefined && typeof filter !== 'function') throw expected('filter', 'a function', filter);
  if (typeof sendEmpty !== 'boolean') throw expected('sendEmpty', 'true or false', sendEmpty);
  return Object.freeze<ResolvedReport>({
    ...{ name, email, sendEmpty },
    ...mappingsOf(reportConfig),
    occurrences: occurrencesOf(frequency, timeZone, now),
    types: typesOf(type),
    filter: filter ?? (() => true),
  });
}

function checkName(name: unknown): void {
  // The client walks its tree by the segments of a path: what every object has would lead it astray.
  const isFree = typeof name === 'string' && isEntryKey(name) && !(name in {}) && name !== '*';
  if (isFree && isAddressable(name) && !/\/|^\d+$/.test(name)) return;
  throw new ConfigError(
    'expected `name` to be a report’s name without blanks or slashes, not only digits and no reserved word, ' +
      `got ${stringify(name) ?? 'undefined'}`,
  );
}

function typesOf(type: unknown): ReadonlySet<string> | undefined {
  if (type === undefined) return undefined;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  const named = types.flatMap((one) => (typeof one === 'string' && one !== '' ? [one] : []));
  if (named.length === types.length && named.length > 0) return new Set(named);
  throw expected('type', 'a job type, or a list of job types', type);
}

function mappingsOf(config: unknown): Pick<ResolvedReport, 'columns' | 'errorMappings'> {
  if (!isJsonObject(config)) throw expected('reportConfig', 'an object', config);
  checkNames(config, ['jobMappings', 'errorMappings']);
  const { jobMappings, errorMappings = {} } = config;
  const columns = textsOf('reportConfig.jobMappings', jobMappings).map(([name, pointer]) =>
    columnOf(name, pointer),
  );
  if (columns.length === 0) throw expected('reportConfig.jobMappings', 'at least one column', jobMappings);
  return { columns, errorMappings: new Map(textsOf('reportConfig.errorMappings', errorMappings)) };
}

function textsOf(name: string, value: unknown): [string, string][] {
  if (!isJsonObject(value)) throw expected(name, 'an object', value);
  return Object.entries(value).map(([key, text]) => {
    if (typeof text !== 'string') throw expected(`${name}[${JSON.stringify(key)}]`, 'text', text);
    return [key, text];
  });
}

function columnOf(name: string, pointer: string): Column {
  // A store takes an object with such a key for a link, or for a resource.
  if (name === '' || !isEntryKey(name)) {
    throw expected('reportConfig.jobMappings', 'columns whose names are not empty or reserved', name);
  }
  if (pointer === 'errorMappings') return { name, source: pointer };
  if (/^(?:\/(?:[^~/]|~[01])*)*$/.test(pointer))
    return { name, source: JsonPointer.decode(pointer).map(String) };
  const what = "a JSON pointer like '/config/first', or the word 'errorMappings'";
  throw expected(`reportConfig.jobMappings[${JSON.stringify(name)}]`, what, pointer);
}
