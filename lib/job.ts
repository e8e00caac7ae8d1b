import { assert as assertJob } from '@oada/types/oada/service/job.js';

import { InvalidJobError, toError } from './errors.js';
import { dateOf, isJsonObject } from './json.js';
import type { Json, JsonObject } from './json.js';
import { isEntryKey, isOwner, link, linkedId } from './paths.js';
import { progressOf } from './progress.js';
import type { ProgressRecord } from './progress.js';
import { traceOf } from './tracing.js';
import type { TraceRecord } from './tracing.js';

const MOST_RESOURCES = 100;

/** Who runs a job. */
export interface ClaimRecord {
  readonly instance: string;
  readonly attempt: number;
}

/** A job as its producer posted it, with what has become of it since. */
export class Job<Config extends object = JsonObject> {
  /** Its resource, like `resources/abc`. */
  readonly _id: string;
  readonly service: string;
  readonly type: string;
  readonly config: Config;
  /** What stands in the store now; absent before it was first run. */
  readonly status: string | undefined;
  readonly result: Json | undefined;
  /** How often it has been claimed before. */
  readonly attempts: number;
  readonly claim: ClaimRecord | undefined;
  /** How often an instance died while it ran the job. */
  readonly takeovers: number;
  /** It is not to be run before then. */
  readonly startAfter: Date | undefined;
  /** Higher goes first; 0 where the producer says nothing. */
  readonly priority: number;
  /** The resources, like `resources/abc`, that are linked to the job in their `_meta` when it is finished. */
  readonly resources: readonly string[];
  /** How often it has failed and was to be run again. */
  readonly retried: number;
  /** The user it belongs to, like `users/abc`. */
  readonly owner: string | undefined;
  /** The job that spawned it, like `resources/abc`. */
  readonly parent: string | undefined;
  readonly progress: ProgressRecord | undefined;
  /** What made it: `{user}`, `{job}`, or `{schedule, occurrence}`. */
  readonly startedBy: JsonObject | undefined;
  /** The kind of failure that it came to. */
  readonly failureType: string | undefined;
  /** What was logged so far: `{status, time, meta}` by keys that sort in time order. */
  readonly updates: JsonObject | undefined;
  /** The span in which it was submitted. */
  readonly trace: TraceRecord | undefined;

  /** @param record as {@link Job.parse} finds it, or as a test makes it */
  constructor(record: {
    readonly _id: string;
    readonly service: string;
    readonly type: string;
    readonly config: Config;
    readonly status?: string | undefined;
    readonly result?: Json | undefined;
    readonly attempts?: number;
    readonly claim?: ClaimRecord | undefined;
    readonly takeovers?: number;
    readonly startAfter?: Date | undefined;
    readonly priority?: number;
    readonly resources?: readonly string[];
    readonly retried?: number;
    readonly owner?: string | undefined;
    readonly parent?: string | undefined;
    readonly progress?: ProgressRecord | undefined;
    readonly startedBy?: JsonObject | undefined;
    readonly failureType?: string | undefined;
    readonly updates?: JsonObject | undefined;
    readonly trace?: TraceRecord | undefined;
  }) {
    this._id = record._id;
    this.service = record.service;
    this.type = record.type;
    this.config = record.config;
    this.status = record.status;
    this.result = record.result;
    this.attempts = record.attempts ?? 0;
    this.claim = record.claim;
    this.takeovers = record.takeovers ?? 0;
    this.startAfter = record.startAfter;
    this.priority = record.priority ?? 0;
    this.resources = record.resources ?? [];
    this.retried = record.retried ?? 0;
    this.owner = record.owner;
    this.parent = record.parent;
    this.progress = record.progress;
    this.startedBy = record.startedBy;
    this.failureType = record.failureType;
    this.updates = record.updates;
    this.trace = record.trace;
  }

  /** The same as `_id`, by the name that it has in @oada/jobs 2 to 5. */
  get oadaId(): string {
    return this._id;
  }

  /**
   * Reads a job document.
   *
   * @throws {InvalidJobError} it is none
   */
  static parse(_id: string, document: unknown): Job {
    if (!isJsonObject(document))
      throw new InvalidJobError('What the pending link leads to is no JSON object.');
    // An earlier run may have left a result of any kind, so only what a producer writes is checked.
    const { service, type, config = {} } = document;
    const posted = { service, type, config };
    try {
      assertJob(posted);
    } catch (error) {
      throw new InvalidJobError(`What the pending link leads to is no job: ${explain(error, posted)}.`);
    }
    if (typeof service !== 'string' || typeof type !== 'string' || !isJsonObject(config)) {
      throw new InvalidJobError('What the pending link leads to is no job.');
    }
    return new Job({ _id, service, type, config, ...runRecord(document) });
  }
}

/** What earlier runs have left on the job, as far as it can be understood. */
function runRecord(document: JsonObject): Omit<Job, '_id' | 'oadaId' | 'service' | 'type' | 'config'> {
  const { status, result, attempts, takeovers, startAfter, priority, resources, failureType, updates } =
    document;
  return {
    status: typeof status === 'string' ? status : undefined,
    result,
    attempts: countOf(attempts),
    takeovers: countOf(takeovers),
    startAfter: dateOf(startAfter),
    priority: typeof priority === 'number' && Number.isFinite(priority) ? priority : 0,
    claim: claimOf(document),
    resources: resourcesOf(resources),
    retried: countOf(document['retried']),
    owner: isOwner(document['owner']) ? document['owner'] : undefined,
    parent: linkedId(document['parent']),
    progress: progressOf(document['progress']),
    startedBy: isJsonObject(document['startedBy']) ? document['startedBy'] : undefined,
    failureType: typeof failureType === 'string' && failureType !== '' ? failureType : undefined,
    updates: isJsonObject(updates) ? updates : undefined,
    trace: traceOf(document),
  };
}

/** Each is an id, as text or as a link; what is none is left out, and so are more than anybody needs. */
function resourcesOf(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return [];
  const named = value.flatMap(
    (item: Json) => linkedId(typeof item === 'string' ? link(item.replace(/^\//, '')) : item) ?? [],
  );
  return [...new Set(named)].slice(0, MOST_RESOURCES);
}

function countOf(value: Json | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** The claim in a job document, be it a job or not. */
export function claimOf(document: unknown): ClaimRecord | undefined {
  const claim = isJsonObject(document) ? document['claim'] : undefined;
  if (!isJsonObject(claim)) return undefined;
  const { instance, attempt } = claim;
  if (typeof instance !== 'string' || instance === '' || typeof attempt !== 'number') return undefined;
  return { instance, attempt };
}

/** Which occurrence of a schedule has started a job. */
export interface StartedBySchedule {
  readonly schedule: string;
  /** Its due time in ISO 8601, or the id of the request for a run. */
  readonly occurrence: string;
}

/** What a job document says of the schedule that has started it, be it a job or not. */
export function scheduleOf(document: unknown): StartedBySchedule | undefined {
  const startedBy = isJsonObject(document) ? document['startedBy'] : undefined;
  if (!isJsonObject(startedBy)) return undefined;
  const { schedule, occurrence } = startedBy;
  return typeof schedule === 'string' && typeof occurrence === 'string'
    ? { schedule, occurrence }
    : undefined;
}

/** The last key of the updates that look like ours: later ones are to sort behind it. */
export function lastUpdateKey(document: unknown): string {
  const updates = isJsonObject(document) ? document['updates'] : undefined;
  const keys = isJsonObject(updates) ? Object.keys(updates) : [];
  return keys.reduce((last, key) => (/^[0-9A-Za-z]{27}$/.test(key) && key > last ? key : last), '');
}

/**
 * When a job came to its end: the time of the update that says so. A holder that has lost its claim, and does not know
 * yet, may add updates after it.
 */
export function finalTime(document: unknown): Date | undefined {
  const { status, updates } = isJsonObject(document) ? document : {};
  if (!isJsonObject(updates)) return undefined;
  const inOrder = Object.keys(updates)
    .toSorted()
    .map((key) => updates[key])
    .filter((update) => isJsonObject(update));
  const last = inOrder.findLast((update) => update['status'] === status) ?? inOrder.at(-1);
  return dateOf(last?.['time']);
}

/** Does it say that the job is over? */
export function isFinalDocument(document: unknown): boolean {
  const status = isJsonObject(document) ? document['status'] : undefined;
  return status === 'success' || status === 'failure';
}

/** Has the document been linked before it was written? A tree PUT does that. */
export function isEmptyDocument(document: unknown): boolean {
  return document === undefined || (isJsonObject(document) && !Object.keys(document).some(isEntryKey));
}

function explain(error: unknown, posted: object): string {
  const missing = Object.entries(posted).flatMap(([key, value]) =>
    value === undefined ? [`${key} is missing`] : [],
  );
  return missing.length > 0 ? missing.join(', ') : toError(error).message;
}
