import type { OADAClient } from '@oada/client';
import { startDashboard } from '@oada/jobs/dashboard';
import { OADAClient as Client } from '@oada/client';

import { startStore, TOKEN } from './store.js';

export interface FirstView {
  /** Until the counts are there, in ms, and until they have today's long list in them. */
  readonly counts: number;
  readonly today: number;
  /** Until the first fifty finished jobs are there. */
  readonly page: number;
  /** Until the curve of the last hour is there. */
  readonly throughput: number;
  /** The same page again. */
  readonly again: number;
  /** What the dashboard takes more than before, in bytes: of the heap, and in all. */
  readonly heap: number;
  readonly rss: number;
}

const SERVICE = 'bench';
const JOBS_TYPE = 'application/vnd.oada.service.jobs.1+json';
const JOB_TYPE = 'application/vnd.oada.service.job.1+json';
/** More documents than anybody looks at for a first view. */
const DOCUMENTS = 2000;

/** What opening the dashboard takes for a service with so many jobs that were finished today, and that wait. */
export async function firstView(path: string, finished: number, pending: number): Promise<FirstView> {
  await using store = await startStore(path);
  const client = new Client({ domain: store.url, token: TOKEN });
  await fill(client, finished, pending);
  await client.disconnect();
  collect();
  const before = process.memoryUsage();
  await using dashboard = await startDashboard({
    stores: [{ name: 'store', domain: store.url, token: TOKEN }],
  });
  const signIn = await fetch(dashboard.url, { redirect: 'manual' });
  const cookie = (signIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const base = new URL(`/api/`, dashboard.url);
  const get = async (of: string): Promise<Response> => {
    const response = await fetch(new URL(of, base), { headers: { cookie } });
    if (!response.ok) throw new Error(`${of}: ${String(response.status)} ${await response.text()}`);
    return response;
  };
  const began = performance.now();
  const since = (): number => performance.now() - began;
  const events = readEvents(await get(`store/${SERVICE}/live`), since, finished);
  await (await get('stores')).json();
  const [times, page] = await Promise.all([
    events,
    get(`store/${SERVICE}/jobs?list=success`)
      .then((response) => response.json())
      .then(since),
    get(`store/${SERVICE}/jobs?list=pending`).then((response) => response.json()),
  ]);
  const asked = performance.now();
  await (await get(`store/${SERVICE}/jobs?list=success`)).json();
  const again = performance.now() - asked;
  collect();
  const after = process.memoryUsage();
  return { ...times, page, again, heap: after.heapUsed - before.heapUsed, rss: after.rss - before.rss };
}

function collect(): void {
  globalThis.gc?.();
}

async function readEvents(
  response: Response,
  since: () => number,
  finished: number,
): Promise<Pick<FirstView, 'counts' | 'today' | 'throughput'>> {
  let counts = 0;
  let today = 0;
  let throughput = 0;
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      if (event.startsWith('event: counts')) {
        if (counts === 0) counts = since();
        if (event.includes(`"success":${String(finished)}`)) today = since();
      }
      if (event.startsWith('event: throughput')) throughput = since();
    }
    if (counts > 0 && today > 0 && throughput > 0) break;
  }
  return { counts, today, throughput };
}

async function fill(client: OADAClient, finished: number, pending: number): Promise<void> {
  const base = `/bookmarks/services/${SERVICE}`;
  const now = Date.now();
  const today = new Date(now).toISOString().slice(0, 10);
  const links = async (path: string, prefix: string, count: number): Promise<void> => {
    const _id = `resources/list-${prefix}`;
    const keys = Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(24, '0')}`);
    const data = Object.fromEntries(keys.map((key) => [key, { _id: `resources/${key}` }]));
    await client.put({ path: `/${_id}`, data, contentType: JOBS_TYPE });
    await client.put({ path, data: { _id }, contentType: 'application/json' });
    // Of those that finished the latest are shown first, of those that wait the oldest.
    const shown = prefix === 'f' ? keys.slice(-DOCUMENTS) : keys.slice(0, DOCUMENTS);
    await writeAll(client, shown, (index) => jobOf(prefix === 'f', now - index));
  };
  for (const [path, data] of [
    ['/bookmarks/services', { _id: 'resources/services' }],
    [base, { _id: 'resources/service' }],
    [`${base}/jobs-success`, { _id: 'resources/index' }],
  ] as const) {
    await client.put({ path: `/${data._id}`, data: {}, contentType: 'application/json' });
    await client.put({ path, data, contentType: 'application/json' });
  }
  await links(`${base}/jobs-success/day-index/${today}`, 'f', finished);
  await links(`${base}/jobs`, 'p', pending);
}

async function writeAll(
  client: OADAClient,
  keys: readonly string[],
  jobOf: (index: number) => Parameters<OADAClient['put']>[0]['data'],
): Promise<void> {
  for (let from = 0; from < keys.length; from += 100) {
    await Promise.all(
      keys.slice(from, from + 100).map((key, index) =>
        client.put({
          path: `/resources/${key}`,
          data: jobOf(keys.length - from - index),
          contentType: JOB_TYPE,
        }),
      ),
    );
  }
}

function jobOf(isFinished: boolean, time: number): Record<string, string | object> {
  const at = (before: number): string => new Date(time - before).toISOString();
  const job = { service: SERVICE, type: 'work', config: { field: 'north', run: 7 } };
  if (!isFinished) return job;
  return {
    ...job,
    status: 'success',
    result: { fine: true },
    updates: { a: { status: 'started', time: at(120) }, b: { status: 'success', time: at(0) } },
  };
}
