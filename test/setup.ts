import { setImmediate } from 'node:timers/promises';

import { Service } from '@oada/jobs';
import type { EventName, ServiceEvents, ServiceOptions } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import type { OADAServerOptions } from '@oada/jobs/server';
import type { OADAClient } from '@oada/client';
import { expect, onTestFinished } from 'vitest';

export const TOKEN = 'sam-5ecret';
export const OTHER_TOKEN = 'kim-5ecret';
export const NAME = 'tractor';
export const BASE = `/bookmarks/services/${NAME}`;
export const JOB_TYPE = 'application/vnd.oada.service.job.1+json';

const LIST_TYPE = 'application/vnd.oada.service.jobs.1+json';

/** The lists as a producer makes them. */
const TREE = {
  bookmarks: {
    _type: 'application/vnd.oada.bookmarks.1+json',
    services: {
      _type: 'application/vnd.oada.services.1+json',
      '*': {
        _type: 'application/vnd.oada.service.1+json',
        jobs: { _type: LIST_TYPE },
        queues: {
          _type: 'application/vnd.oada.service.queues.1+json',
          '*': { _type: 'application/vnd.oada.service.queue.1+json' },
        },
      },
    },
  },
};

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- no type until the test has looked at it
export type Stored = any;

export type Way = 'in process' | 'over a socket';
export const WAYS: readonly Way[] = ['in process', 'over a socket'];

export interface Told<Name extends EventName = EventName> {
  readonly name: Name;
  readonly event: ServiceEvents[Name];
}

let watching = false;

/** Fails the test when something is rejected that nobody looks after. */
export function watchRejections(): void {
  if (watching) return;
  watching = true;
  const rejections: unknown[] = [];
  const listener = (reason: unknown): void => {
    rejections.push(reason);
  };
  process.on('unhandledRejection', listener);
  onTestFinished(async () => {
    await setImmediate();
    process.off('unhandledRejection', listener);
    watching = false;
    expect(rejections).toEqual([]);
  });
}

/** A server in memory, with a user of each token; it is stopped when the test is over. */
export async function startServer(options: OADAServerOptions = {}): Promise<OADAServer> {
  watchRejections();
  const tokens = [
    { token: TOKEN, user: 'users/sam' },
    { token: OTHER_TOKEN, user: 'users/kim' },
  ];
  const server = await OADAServer.start({ tokens, ...options });
  onTestFinished(() => server.stop());
  return server;
}

/** A service that is stopped when the test is over; tests that need no long waits have none. */
export function makeService(
  server: OADAServer,
  way: Way = 'in process',
  options: ServiceOptions = {},
): Service {
  const oada = way === 'in process' ? server.client(TOKEN) : { domain: server.url, token: TOKEN };
  const service = new Service({ name: NAME, oada, drainTimeout: '50ms', ...options });
  onTestFinished(() => service.stop());
  return service;
}

export const EVENT_NAMES: readonly EventName[] = [
  'service:started',
  'service:stopped',
  'queue:started',
  'queue:stopped',
  'queue:failed',
  'queue:refused',
  'queue:paused',
  'queue:resumed',
  'instance:lost',
  'job:found',
  'job:held',
  'job:started',
  'job:ran',
  'job:logged',
  'job:succeeded',
  'job:failed',
  'job:filed',
  'job:interrupted',
  'job:postponed',
  'job:stuck',
  'job:skipped',
  'link:failed',
  'schedule:started',
  'schedule:ended',
  'schedule:skipped',
  'schedule:held',
  'schedule:kept',
  'schedule:refused',
  'schedule:delayed',
  'report:closed',
  'report:sent',
  'report:delayed',
  'filter:failed',
  'notice:failed',
  'log:failed',
  'jobs:pruned',
  'prune:failed',
  'store:requested',
];

/** All that a service tells, in order. */
export function listen(service: Service): Told[] {
  const told: Told[] = [];
  for (const name of EVENT_NAMES) service.events.on(name, (event) => told.push({ name, event }));
  return told;
}

export function eventsOf<Name extends EventName>(told: readonly Told[], name: Name): ServiceEvents[Name][] {
  return told.flatMap((one) => (isNamed(one, name) ? [one.event] : []));
}

function isNamed<Name extends EventName>(told: Told, name: Name): told is Told<Name> {
  return told.name === name;
}

/** Resolves when that many events of the name have come since this was called. */
export function countTo(service: Service, name: EventName, count: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    service.events.on(name, () => {
      if (++seen === count) resolve();
    });
  });
}

/** Makes the lists where they are missing. */
export async function ensureLists(oada: OADAClient, name: string = NAME): Promise<void> {
  await oada.ensure({ path: `/bookmarks/services/${name}/jobs`, data: {}, tree: TREE });
  await oada.ensure({ path: `/bookmarks/services/${name}/queues`, data: {}, tree: TREE });
}

export const QUEUE_TREE: typeof TREE = TREE;

let posted = 0;

export function newKey(): string {
  return `job-${String(++posted)}`;
}

export function jobOf(type: string, config: object = {}): object {
  return { service: NAME, type, config };
}

/** A new resource, by its id. */
export async function postResource(
  oada: OADAClient,
  data: unknown,
  contentType: string = JOB_TYPE,
): Promise<string> {
  const { headers } = await oada.post({ path: '/resources', data: data as object, contentType });
  return headers['content-location']!.replace(/^\//, '');
}

/** Writes an entry of the pending list, whatever it is and whatever its key. */
export async function putEntry(oada: OADAClient, key: string, entry: unknown): Promise<void> {
  const data = JSON.parse(`{${JSON.stringify(key)}:${JSON.stringify(entry)}}`) as object;
  await oada.put({ path: `${BASE}/jobs`, data, contentType: 'application/json' });
}

/** What a producer does: makes a job, and links it. Resolves with the job's id. */
export async function postJob(oada: OADAClient, job: unknown, key: string = newKey()): Promise<string> {
  const _id = await postResource(oada, job);
  await putEntry(oada, key, { _id });
  return _id;
}

export async function read(oada: OADAClient, path: string): Promise<Stored> {
  const { data } = await oada.get({ path });
  return data;
}

/** What stands in a list and is no entry: the keys of any resource, and in the classic list the nested ones. */
const NO_ENTRIES = [
  '_id',
  '_rev',
  '_type',
  '_meta',
  'pending',
  'success',
  'failure',
  'typed-failure',
  'reports',
];

export function keysOf(list: object): string[] {
  return Object.keys(list).filter((key) => !NO_ENTRIES.includes(key));
}

export interface Filed {
  readonly status: 'success' | 'failure';
  readonly date: string;
  readonly key: string;
  readonly id: string;
}

/** Every link in the day-indexes of a service. */
export async function allFiled(oada: OADAClient, name: string = NAME): Promise<Filed[]> {
  const filed: Filed[] = [];
  const service = await read(oada, `/bookmarks/services/${name}`);
  for (const status of ['success', 'failure'] as const) {
    if (!(`jobs-${status}` in service)) continue;
    const index = await read(oada, `/bookmarks/services/${name}/jobs-${status}`);
    for (const date of Object.keys(index['day-index'] ?? {})) {
      const list = await read(oada, `/bookmarks/services/${name}/jobs-${status}/day-index/${date}`);
      for (const key of keysOf(list)) filed.push({ status, date, key, id: list[key]._id });
    }
  }
  return filed;
}

/** Posts a job, waits until it is filed, and reads what became of it. */
export async function runJob(
  service: Service,
  oada: OADAClient,
  job: unknown,
  key: string = newKey(),
): Promise<Stored> {
  const filed = service.events.next('job:filed', (event) => event.key === key);
  await postJob(oada, job, key);
  const { jobId } = await filed;
  return await read(oada, `/${jobId}`);
}

/** A promise, and what settles it. */
export function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
