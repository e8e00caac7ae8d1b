import type { OADAClient } from '@oada/client';

import { childStates } from './child-states.js';
import type { ChildState } from './child-states.js';
import { toError } from './errors.js';
import { finalTime, isFinalDocument } from './job.js';
import { dateOf, isJsonObject, toJson } from './json.js';
import type { Json, JsonObject } from './json.js';
import { withStore } from './oada/shared-store.js';
import type { Store } from './oada/store.js';
import { expected } from './options.js';
import { isOwner, isResourceId } from './paths.js';
import { progressOf } from './progress.js';
import type { ProgressRecord } from './progress.js';

/** `waiting` until it is run, and between two tries. */
export type JobState = 'waiting' | 'running' | 'success' | 'failure';

/** What is told of a job that failed. */
export interface JobProblem {
  /** What happened, and where its work function says so, what to do about it. */
  readonly message: string;
  /** The kind of failure, as the job's `failureType`. */
  readonly type: string | undefined;
}

/** What a view is given of a child. */
export interface ViewedChild {
  readonly name: string;
  readonly type: string;
  readonly state: JobState;
  readonly config: JsonObject;
  readonly result: Json | undefined;
  readonly progress: ProgressRecord | undefined;
  readonly error: JobProblem | undefined;
}

/** What a view is given of a job: also of one that is not over. */
export interface ViewedJob extends ViewedChild {
  readonly children: readonly ViewedChild[];
}

/** Makes what a person is shown of a job of a type, of its output and of its children's. May be called at any time. */
export type StatusView = (job: ViewedJob) => unknown;

/** How a job is doing, for people. */
export interface JobStatus {
  readonly _id: string;
  readonly name: string | undefined;
  readonly type: string;
  readonly state: JobState;
  /** Its own, or how many of its children are over. */
  readonly progress: ProgressRecord | undefined;
  readonly owner: string | undefined;
  readonly started: Date | undefined;
  readonly finished: Date | undefined;
  readonly error: JobProblem | undefined;
  /** What the view of its type makes of it; without a view, its result. */
  readonly output: Json | undefined;
  readonly children: readonly JobStatus[];
}

export type StatusViews = ReadonlyMap<string, StatusView>;

const MAX_OUTPUT_BYTES = 10 * 1024 * 1024;

/**
 * How a job is doing, be it waiting, running or over.
 *
 * @param job its id, like `resources/abc`, or what {@link submit} returned
 * @param views for each job type, what makes the output that people are shown
 * @throws {ConfigError}
 * @throws {StoreError} it is not there, say
 */
export async function getStatus(
  oada: OADAClient,
  job: { readonly _id: string } | string,
  views: StatusViews | Readonly<Record<string, StatusView>> = {},
): Promise<JobStatus> {
  const id: unknown = typeof job === 'string' ? job : job._id;
  if (!isResourceId(id)) throw expected('job', 'what submit() returned, or an id like resources/abc', id);
  const byType = isMap(views) ? views : new Map(Object.entries(views));
  return await withStore(oada, (store) => statusOf(store, id, byType));
}

/** @internal */
export async function statusOf(
  store: Pick<Store, 'get'>,
  id: string,
  views: StatusViews,
): Promise<JobStatus> {
  const { data } = await store.get(`/${id}`);
  const document = isJsonObject(data) ? data : {};
  const children = await childStates(document, store);
  return status({ name: undefined, _id: id, document }, children, views);
}

function status(
  { name, _id, document }: Omit<ChildState, 'name'> & { name: string | undefined },
  children: readonly ChildState[],
  views: StatusViews,
): JobStatus {
  const viewed = children.map((child) => viewOf(child.name, child.document));
  const own = viewOf(name ?? '', document);
  const { type, state, error } = own;
  const owner = document['owner'];
  return {
    ...{ _id, name, type, state, error },
    owner: isOwner(owner) ? owner : undefined,
    progress: own.progress ?? progressOfChildren(viewed),
    started: startTime(document),
    finished: isFinalDocument(document) ? finalTime(document) : undefined,
    output: outputOf({ ...own, children: viewed }, views),
    children: children.map((child) => status(child, [], views)),
  };
}

function viewOf(name: string, document: JsonObject): ViewedChild {
  const { type, config, result, progress } = document;
  return {
    name,
    type: typeof type === 'string' ? type : '',
    state: stateOf(document),
    config: isJsonObject(config) ? config : {},
    result: document['status'] === 'failure' ? undefined : result,
    progress: progressOf(progress),
    error: problemOf(document),
  };
}

export function stateOf({ status }: JsonObject): JobState {
  return status === 'running' || status === 'success' || status === 'failure' ? status : 'waiting';
}

export function problemOf({ status, result, failureType }: JsonObject): JobProblem | undefined {
  if (status !== 'failure') return undefined;
  const message = isJsonObject(result) ? result['message'] : undefined;
  return {
    message: typeof message === 'string' ? message : 'It failed, and nothing says why.',
    type: typeof failureType === 'string' ? failureType : undefined,
  };
}

function progressOfChildren(children: readonly ViewedChild[]): ProgressRecord | undefined {
  if (children.length === 0) return undefined;
  const done = children.filter(({ state }) => state === 'success' || state === 'failure').length;
  return { done, total: children.length };
}

/** When it was begun last. */
export function startTime({ updates }: JsonObject): Date | undefined {
  if (!isJsonObject(updates)) return undefined;
  const keys = Object.keys(updates).toSorted();
  const times = keys.flatMap((key) => {
    const update = updates[key];
    return isJsonObject(update) && update['status'] === 'started' ? [update['time']] : [];
  });
  return dateOf(times.at(-1));
}

/** A view that throws tells of that: the rest of the status is as it is. */
function outputOf(job: ViewedJob, views: StatusViews): Json | undefined {
  const view = views.get(job.type);
  if (view === undefined) return job.result;
  try {
    return toJson(view(job), MAX_OUTPUT_BYTES);
  } catch (error) {
    return { problem: `The view of ${job.type} cannot show this: ${toError(error).message}` };
  }
}

function isMap(views: StatusViews | Readonly<Record<string, StatusView>>): views is StatusViews {
  return views instanceof Map;
}
