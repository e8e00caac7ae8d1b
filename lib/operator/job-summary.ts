import { claimOf, finalTime, isFinalDocument } from '../job.js';
import { isJsonObject, objectOf } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import { isOwner, linkedId } from '../paths.js';
import { progressOf } from '../progress.js';
import type { ProgressRecord } from '../progress.js';
import { problemOf, startTime, stateOf } from '../status.js';
import type { JobProblem, JobState } from '../status.js';

/** A job in a list of jobs, as JSON: all times are ISO 8601 in UTC. */
export interface JobSummary {
  /** Its resource, like `resources/abc`. */
  readonly id: string;
  /** Of its link in the list that it was found in. */
  readonly key: string;
  readonly type: string;
  readonly state: JobState;
  readonly owner?: string;
  /** The job that spawned it, like `resources/abc`. */
  readonly parent?: string;
  /** What made it: `{user}`, `{job}`, or `{schedule, occurrence}`. */
  readonly startedBy?: JsonObject;
  readonly priority: number;
  /** How often it has been claimed. */
  readonly attempts: number;
  /** Who runs it, or ran it last. */
  readonly instance?: string;
  /** It is not run before then. */
  readonly startAfter?: string;
  readonly started?: string;
  readonly finished?: string;
  /** From its last start to its end, in milliseconds. */
  readonly duration?: number;
  readonly progress?: ProgressRecord;
  readonly error?: JobProblem;
}

/** One line of a job's log. */
export interface JobUpdate {
  readonly key: string;
  readonly status: string;
  readonly time: string;
  readonly meta?: Json;
}

/** A job with all that is known of it. */
export interface JobDetail extends JobSummary {
  readonly config: Json;
  readonly result?: Json;
  /** In the order of time. */
  readonly updates: readonly JobUpdate[];
  readonly children: readonly ChildLink[];
  /** What stands in the store. */
  readonly document: JsonObject;
}

export interface ChildLink {
  readonly name: string;
  readonly id: string;
}

/** @param document whatever a link has led to: what is not understood of it is left out */
export function summaryOf(id: string, key: string, document: JsonObject): JobSummary {
  const { type, owner, startedBy, priority, attempts, startAfter } = document;
  const parent = linkedId(document['parent']);
  const started = startTime(document);
  const finished = isFinalDocument(document) ? finalTime(document) : undefined;
  const progress = progressOf(document['progress']);
  const error = problemOf(document);
  const instance = claimOf(document)?.instance;
  return {
    ...{ id, key, type: typeof type === 'string' ? type : '', state: stateOf(document) },
    priority: typeof priority === 'number' ? priority : 0,
    attempts: typeof attempts === 'number' ? attempts : 0,
    ...(isOwner(owner) && { owner }),
    ...(parent !== undefined && { parent }),
    ...(isJsonObject(startedBy) && { startedBy }),
    ...(instance !== undefined && { instance }),
    ...(typeof startAfter === 'string' && { startAfter }),
    ...(started !== undefined && { started: started.toISOString() }),
    ...(finished !== undefined && { finished: finished.toISOString() }),
    ...(started !== undefined &&
      finished !== undefined && { duration: Math.max(0, finished.getTime() - started.getTime()) }),
    ...(progress !== undefined && { progress }),
    ...(error !== undefined && { error }),
  };
}

export function detailOf(id: string, key: string, document: JsonObject): JobDetail {
  const { result } = document;
  return {
    ...summaryOf(id, key, document),
    config: document['config'] ?? {},
    ...(result !== undefined && { result }),
    updates: updatesOf(document['updates']),
    children: childLinks(document['children']),
    document,
  };
}

export function updatesOf(updates: Json | undefined): JobUpdate[] {
  return Object.entries(objectOf(updates))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([key, update]): JobUpdate[] => {
      if (!isJsonObject(update)) return [];
      const { status, time, meta } = update;
      if (typeof status !== 'string' || typeof time !== 'string') return [];
      return [{ key, status, time, ...(meta !== undefined && { meta }) }];
    });
}

function childLinks(children: Json | undefined): ChildLink[] {
  return Object.entries(objectOf(children)).flatMap(([name, entry]) => {
    const id = linkedId(entry);
    return id === undefined ? [] : [{ name, id }];
  });
}
