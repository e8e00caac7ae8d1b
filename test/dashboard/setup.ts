import { startDashboard } from '@oada/jobs/dashboard';
import type { RunningDashboard, StartOptions } from '@oada/jobs/dashboard';
import { onTestFinished } from 'vitest';

import { NAME, startServer, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';
import { Events } from './events.js';

/** What a browser has of a dashboard, when it is signed in. */
export interface Browser {
  readonly origin: string;
  readonly cookie: string;
  readonly csrfToken: string;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly send: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Answer>;
  /** What is pushed. */
  readonly events: (path: string) => Promise<Events>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Stored;
}

export const AT = `api/store/${NAME}`;

/** A dashboard that is stopped when the test is over. */
export async function start(options: Partial<StartOptions> = {}): Promise<RunningDashboard> {
  const stores = options.stores ?? [{ name: 'store', domain: (await startServer()).url, token: TOKEN }];
  const dashboard = await startDashboard({ ...options, stores });
  onTestFinished(() => dashboard.stop());
  return dashboard;
}

export async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  const isJson = headers.get('content-type')?.startsWith('application/json') ?? false;
  return { status, headers, text, json: isJson ? JSON.parse(text) : undefined };
}

export function cookieIn({ headers }: { headers: Headers }): string {
  return (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

/** Signs in with the printed address. */
export async function signIn(dashboard: RunningDashboard): Promise<Browser> {
  const answer = await fetch(dashboard.url, { redirect: 'manual' });
  return await browse(new URL(dashboard.url).origin, cookieIn(answer));
}

export async function browse(origin: string, cookie: string): Promise<Browser> {
  const fetchAt = async (path: string, init: RequestInit): Promise<Response> =>
    await fetch(`${origin}/${path}`, { redirect: 'manual', ...init });
  const get: Browser['get'] = async (path, headers = {}) =>
    await answerOf(await fetchAt(path, { headers: { cookie, ...headers } }));
  const { csrfToken } = (await get('api/session')).json as { csrfToken: string };
  return {
    ...{ origin, cookie, csrfToken, get },
    send: async (method, path, body, headers = {}) => {
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const all = { cookie, 'x-csrf-token': csrfToken, ...type, ...headers };
      const init = { method, headers: all, ...(body !== undefined && { body: JSON.stringify(body) }) };
      return await answerOf(await fetchAt(path, init));
    },
    events: async (path) => {
      const ending = new AbortController();
      onTestFinished(() => {
        ending.abort();
      });
      const response = await fetchAt(path, { headers: { cookie }, signal: ending.signal });
      if (!response.ok) throw new Error(`${String(response.status)} ${await response.text()}`);
      return new Events(response, ending);
    },
  };
}
