import { connect } from '@oada/client';
import type { OADAClient } from '@oada/client';
import { JobError, Service } from '@oada/jobs';
import type { ServiceEvents, ServiceOptions } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { onTestFinished } from 'vitest';

import { BASE, JOB_TYPE, keysOf, NAME, newKey, read, startServer, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';

export const LIST_TYPE = 'application/vnd.oada.service.jobs.1+json';

/** How services come by their store. */
export const SOURCES = ['an address', 'a client over ws', 'a client over http'] as const;
export type Source = (typeof SOURCES)[number];

/** Which generation of services this is: 2.x has the classic lists, 3 to 5 have the nested ones. */
export const LAYOUTS = ['classic', 'nested'] as const;
export type Layout = (typeof LAYOUTS)[number];

export const PENDING: Record<Layout, string> = { classic: `${BASE}/jobs`, nested: `${BASE}/jobs/pending` };

export const EVERY: [Layout, Source][] = LAYOUTS.flatMap((layout) =>
  SOURCES.map((source): [Layout, Source] => [layout, source]),
);

/** Where a job stands that was filed today. */
export function indexOf(layout: Layout, list: string): string {
  const parent = layout === 'classic' ? `${BASE}/jobs-${list}` : `${BASE}/jobs/${list}`;
  return `${parent}/day-index/${new Date().toISOString().slice(0, 10)}`;
}

/** A client of its own, as another process has it; it is disconnected when the test is over. */
export async function connected(
  server: { readonly url: string },
  connection: 'ws' | 'http',
): Promise<OADAClient> {
  const client = await connect({ domain: server.url, token: TOKEN, connection, concurrency: 10 });
  onTestFinished(() => client.disconnect());
  return client;
}

/** A service as that generation makes it, on a store that knows nothing of it. */
export async function serviceOf(
  server: { readonly url: string },
  layout: Layout,
  source: Source,
  options: ServiceOptions = {},
): Promise<Service> {
  const client =
    source === 'an address'
      ? undefined
      : await connected(server, source === 'a client over ws' ? 'ws' : 'http');
  const service = make(server, layout, client, { drainTimeout: '50ms', ...options });
  onTestFinished(() => service.stop());
  return service;
}

function make(
  { url: domain }: { readonly url: string },
  layout: Layout,
  client: OADAClient | undefined,
  opts: ServiceOptions,
): Service {
  if (layout === 'nested') return new Service({ name: NAME, oada: client ?? { domain, token: TOKEN }, opts });
  if (client !== undefined) return new Service(NAME, client, 10, opts);
  return new Service(NAME, domain, TOKEN, 10, opts);
}

/** Work functions for all that may become of a job. */
export function withWork(service: Service): Service {
  return service
    .on('echo', 5000, async (job) => job.config['say'])
    .on('fail', 5000, async () => {
      throw new RangeError('no luck');
    })
    .on('refuse', 5000, async () => {
      throw new JobError('the document is none', 'bad-document');
    })
    .on('hang', { timeout: 20, grace: 1 }, () => new Promise(() => undefined));
}

export interface Scene {
  readonly server: OADAServer;
  readonly service: Service;
  /** The producer's. */
  readonly oada: OADAClient;
}

/** A service that runs, and a producer beside it. */
export async function running(layout: Layout, source: Source, options: ServiceOptions = {}): Promise<Scene> {
  const server = await startServer();
  const service = withWork(await serviceOf(server, layout, source, options));
  await service.start();
  return { server, service, oada: server.client() };
}

/** What the producers of 2 to 5 do: the content type is that of a list, and nothing is ensured before. */
export async function post(
  oada: OADAClient,
  layout: Layout,
  job: unknown,
  key: string = newKey(),
): Promise<string> {
  const posted = await oada.post({ path: '/resources', data: job as object, contentType: LIST_TYPE });
  const _id = posted.headers['content-location']?.replace(/^\//, '') ?? '';
  await oada.put({ path: `${PENDING[layout]}/${key}`, data: { _id }, contentType: JOB_TYPE });
  return _id;
}

export interface Done {
  readonly key: string;
  readonly filed: ServiceEvents['job:filed'];
  /** The job's document. */
  readonly job: Stored;
}

/** Posts a job, and waits until it is filed. */
export async function done({ service, oada }: Scene, layout: Layout, job: unknown): Promise<Done> {
  const key = newKey();
  const filing = service.events.next('job:filed', (event) => event.key === key);
  const id = await post(oada, layout, job, key);
  return { key, filed: await filing, job: await read(oada, `/${id}`) };
}

/** The keys of a list; none where it is not there. */
export async function keysAt(oada: OADAClient, path: string): Promise<string[]> {
  const parent = path.slice(0, path.lastIndexOf('/'));
  let at = '';
  for (const segment of parent.split('/').slice(1)) {
    at += `/${segment}`;
    const next = path.slice(at.length + 1).split('/')[0] ?? '';
    const document: Stored = await read(oada, at);
    if (!(next in document)) return [];
  }
  return keysOf(await read(oada, path));
}
