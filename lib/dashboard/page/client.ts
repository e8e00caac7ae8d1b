// All that is said to the server, and the one place where its JSON gets its types.
import type {
  ActionResult,
  InstanceSummary,
  JobCounts,
  JobPage,
  JobsAction,
  JobView,
  ListRequest,
  LiveEvents,
  NewQueue,
  Problem,
  QueueView,
  ScheduleAction,
  SchedulesAction,
  SchedulesView,
  ScheduleView,
  Session,
  StoreSummary,
} from '../api.js';
import type { Place } from './route.js';
import { csrfToken, forgetSession, sessionStore } from './session.js';

/** Why something was not done. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: string;
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;

  constructor({ code, message }: Problem, status: number) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

interface Asked {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** It is sent although the page is being left. */
  readonly keepalive?: boolean;
}

const PATIENCE_MS = 60_000;

async function ask<Answer>(path: string, asked: Asked = {}): Promise<Answer> {
  const response = await send(path, asked);
  const text = await response.text();
  if (!response.ok) throw problemOf(response, text);
  // What the server says is what api.ts says: both are built from it.
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

async function send(
  path: string,
  { method = 'GET', body, signal, keepalive = false }: Asked,
): Promise<Response> {
  const limit = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(`api/${path}`, {
      ...{ method, keepalive, cache: 'no-store', credentials: 'same-origin' },
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method !== 'GET' && { 'x-csrf-token': csrfToken() }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const message = limit.aborted
      ? 'The dashboard did not answer in time. It may still be at work: look again before you repeat it.'
      : 'The dashboard cannot be reached. Is it still running, and are you still connected?';
    throw new RequestError({ code: 'UNREACHABLE', message }, 0);
  }
}

function problemOf({ status, statusText }: Response, text: string): RequestError {
  if (status === 401) forgetSession();
  const plain = { code: String(status), message: `The dashboard answered ${status} ${statusText}`.trim() };
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    // A proxy in between answers with something else than JSON.
  }
  return new RequestError(isProblem(told) ? told : plain, status);
}

function isProblem(told: unknown): told is Problem {
  return (
    typeof told === 'object' &&
    told !== null &&
    'code' in told &&
    typeof told.code === 'string' &&
    'message' in told &&
    typeof told.message === 'string'
  );
}

function below({ store, service }: Place, ...rest: readonly string[]): string {
  return [store, service, ...rest].map(encodeURIComponent).join('/');
}

/** Asks who we are, and tells all that follow the session. */
export async function askSession(): Promise<void> {
  try {
    sessionStore.set({ state: 'known', session: await ask<Session>('session') });
  } catch (error) {
    // Where we know the session, the view says itself that the server is away.
    if (sessionStore.get().state === 'known') return;
    sessionStore.set({ state: 'unreachable', message: messageOf(error) });
  }
}

export async function signIn(password: string): Promise<void> {
  await ask<undefined>('session', { method: 'POST', body: { password } });
  await askSession();
}

export async function signOut(): Promise<void> {
  await ask<undefined>('session', { method: 'DELETE' });
  await askSession();
}

export const getStores = (signal?: AbortSignal): Promise<StoreSummary[]> => ask('stores', { signal });

export const getCounts = (place: Place, signal?: AbortSignal): Promise<JobCounts> =>
  ask(below(place), { signal });

export function getJobs(place: Place, request: ListRequest, signal?: AbortSignal): Promise<JobPage> {
  const given = Object.entries(request).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return ask(`${below(place, 'jobs')}?${new URLSearchParams(given).toString()}`, { signal });
}

export const getJob = (place: Place, id: string, signal?: AbortSignal): Promise<JobView> =>
  ask(below(place, 'job', id), { signal });

export const actOnJobs = (place: Place, action: JobsAction, keepalive = false): Promise<ActionResult> =>
  ask(below(place, 'jobs'), { method: 'POST', body: action, keepalive });

export const setPaused = (place: Place, paused: boolean): Promise<undefined> =>
  ask(below(place, 'paused'), { method: 'POST', body: { paused } });

export const getQueues = (place: Place, signal?: AbortSignal): Promise<QueueView[]> =>
  ask(below(place, 'queues'), { signal });

export const addQueue = (place: Place, queue: NewQueue): Promise<undefined> =>
  ask(below(place, 'queues'), { method: 'POST', body: queue });

export const removeQueue = (place: Place, queue: string): Promise<undefined> =>
  ask(below(place, 'queues', queue), { method: 'DELETE' });

export const getInstances = (place: Place, signal?: AbortSignal): Promise<InstanceSummary[]> =>
  ask(below(place, 'instances'), { signal });

export const getSchedules = (place: Place, signal?: AbortSignal): Promise<SchedulesView> =>
  ask(below(place, 'schedules'), { signal });

export const actOnSchedules = (place: Place, action: SchedulesAction): Promise<undefined> =>
  ask(below(place, 'schedules'), { method: 'POST', body: action });

export const getSchedule = (place: Place, key: string, signal?: AbortSignal): Promise<ScheduleView> =>
  ask(below(place, 'schedules', key), { signal });

export const actOnSchedule = (place: Place, key: string, action: ScheduleAction): Promise<undefined> =>
  ask(below(place, 'schedules', key), { method: 'POST', body: action });

export function liveAddress(place: Place, jobs: readonly string[]): string {
  const wanted = jobs.length === 0 ? '' : `?jobs=${jobs.map(encodeURIComponent).join(',')}`;
  return `api/${below(place, 'live')}${wanted}`;
}

/** What a server-sent event holds. */
export function readEvent<Name extends keyof LiveEvents>(
  _name: Name,
  event: MessageEvent<string>,
): LiveEvents[Name] {
  // As above: what comes under a name has the type that api.ts gives it.
  return JSON.parse(event.data) as LiveEvents[Name];
}

/** What a person is told of what went wrong. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
