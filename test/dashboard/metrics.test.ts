import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { setPaused } from '../../lib/operator/job-actions.js';
import { operate } from '../operator/setup.js';
import { countTo, ensureLists, jobOf, makeService, NAME, postJob, startServer, TOKEN } from '../setup.js';
import { signIn, start } from './setup.js';

/** The samples of an exposition, by their names and labels. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

test('metrics tell of each service what its store holds, and of each store whether it answers', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const service = makeService(server)
    .on('fine', '5s', () => 'well')
    .on('bad', '5s', () => {
      throw new Error('not well');
    });
  await service.start();
  const filed = countTo(service, 'job:filed', 3);
  for (const type of ['fine', 'bad', 'fine']) await postJob(oada, jobOf(type));
  await filed;
  const paused = service.events.next('queue:paused');
  await setPaused(operate(server), true);
  await paused;
  await postJob(oada, jobOf('fine'));
  const stores = [
    { name: 'farm', domain: server.url, token: TOKEN },
    { name: 'gone', domain: 'http://127.0.0.1:9', token: 't0ken' },
  ];
  const browser = await signIn(await start({ stores, metrics: true }));
  const { status, headers, text } = await browser.get('metrics');
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('version=0.0.4');
  const of = `{store="farm",service="${NAME}"`;
  expect(Object.fromEntries(samplesOf(text))).toEqual({
    'oada_jobs_dashboard_store_up{store="farm"}': 1,
    'oada_jobs_dashboard_store_up{store="gone"}': 0,
    [`oada_jobs_dashboard_service_up${of}}`]: 1,
    [`oada_jobs_dashboard_pending${of}}`]: 1,
    [`oada_jobs_dashboard_running${of}}`]: 0,
    [`oada_jobs_dashboard_finished_today${of},status="success"}`]: 2,
    [`oada_jobs_dashboard_finished_today${of},status="failure"}`]: 1,
    [`oada_jobs_dashboard_instances${of},state="alive"}`]: 1,
    [`oada_jobs_dashboard_instances${of},state="silent"}`]: 0,
    [`oada_jobs_dashboard_paused${of}}`]: 1,
  });

  const named = [...text.matchAll(/^# TYPE (\w+) gauge$/gm)].map(([, name = '']) => name);
  const page = readFileSync(new URL('../../docs/operating/dashboard.md', import.meta.url), 'utf8');
  const told = [...page.matchAll(/^\| `(oada_jobs_\w+)`/gm)].map(([, name = '']) => name);
  expect(told.toSorted()).toEqual(named.toSorted());
});

test('a service whose link leads nowhere hides no other, and what was counted is told for ten seconds', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  await ensureLists(oada);
  await oada.put({
    path: '/bookmarks/services',
    data: { ghost: { _id: 'resources/nowhere' } },
    contentType: 'application/json',
  });
  let moved = 0;
  const clock = { ...systemClock, monotonic: () => moved };
  const stores = [{ name: 'farm', domain: server.url, token: TOKEN }];
  const { get } = await signIn(await start({ stores, clock, metrics: true }));
  const { status, text } = await get('metrics');
  expect(status).toBe(200);
  const samples = samplesOf(text);
  expect(samples.get('oada_jobs_dashboard_service_up{store="farm",service="ghost"}')).toBe(0);
  const of = `{store="farm",service="${NAME}"}`;
  expect(samples.get(`oada_jobs_dashboard_service_up${of}`)).toBe(1);
  expect(samples.get(`oada_jobs_dashboard_pending${of}`)).toBe(0);
  expect(text).not.toMatch(/_pending\{.*ghost/);
  await postJob(oada, jobOf('fine'));
  moved = 9999;
  expect((await get('metrics')).text).toBe(text);
  moved = 10_001;
  const later = samplesOf((await get('metrics')).text);
  expect(later.get(`oada_jobs_dashboard_pending${of}`)).toBe(1);
});

test('those who are not signed in get none', async () => {
  const { origin } = new URL((await start({ metrics: true })).url);
  expect((await fetch(`${origin}/metrics`)).status).toBe(401);
});
