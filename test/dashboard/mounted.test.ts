import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import { dashboard, startDashboard } from '@oada/jobs/dashboard';
import type { DashboardOptions } from '@oada/jobs/dashboard';
import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';

import { ensureLists, NAME, startServer, TOKEN } from '../setup.js';
import { start } from './setup.js';

const STORES = [{ name: 'store', domain: 'http://127.0.0.1:9', token: TOKEN }];

async function mount(
  options: Partial<DashboardOptions>,
  prepare: (app: FastifyInstance) => void = () => undefined,
): Promise<FastifyInstance> {
  const app = fastify();
  onTestFinished(() => app.close());
  prepare(app);
  await app.register(dashboard, { prefix: '/jobs', stores: STORES, ...options });
  app.get('/', () => 'the app');
  await app.ready();
  return app;
}

async function pageFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'oada-jobs-page-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>Jobs</title>');
  await writeFile(join(folder, 'assets', 'index-abc123.js'), 'export {};');
  await writeFile(join(folder, '.secret'), 'no');
  return folder;
}

describe('in an app', () => {
  test('it stands below its prefix, and leaves the rest of the app alone', async () => {
    const server = await startServer();
    await ensureLists(server.client(TOKEN));
    const app = await mount({
      stores: [{ name: 'store', domain: server.url, token: TOKEN }],
      authenticate: ({ headers }) => headers.authorization === 'me',
      pageFolder: await pageFolder(),
    });
    const headers = { authorization: 'me' };
    const session = await app.inject({ url: '/jobs/api/session', headers });
    expect(session.json()).toMatchObject({ signedIn: true, by: 'app', readOnly: false });
    const { csrfToken } = session.json<{ csrfToken: string }>();
    expect((await app.inject({ url: `/jobs/api/store/${NAME}`, headers })).json()).toMatchObject({
      pending: 0,
    });
    const change = {
      method: 'POST',
      url: `/jobs/api/store/${NAME}/paused`,
      payload: { paused: true },
    } as const;
    expect((await app.inject({ ...change, headers })).statusCode).toBe(403);
    const own = { ...headers, 'x-csrf-token': csrfToken };
    expect((await app.inject({ ...change, headers: own })).statusCode).toBe(204);
    expect((await app.inject({ url: '/jobs', headers })).headers.location).toBe('/jobs/');
    expect((await app.inject({ url: '/jobs/', headers })).body).toContain('<title>Jobs');
    const theirs = await app.inject('/');
    expect(theirs.body).toBe('the app');
    expect(theirs.headers).not.toHaveProperty('content-security-policy');
    expect((await app.inject('/api/session')).statusCode).toBe(404);
  });

  test.each(['/jobs/', '/jobs/assets/index-abc123.js', '/jobs/api/stores', '/jobs/metrics'])(
    'nobody sees %s whom the app does not let in',
    async (url) => {
      const metrics = { contentType: 'text/plain', metrics: async () => 'up 1' };
      const app = await mount({ authenticate: async () => false, pageFolder: await pageFolder(), metrics });
      expect((await app.inject(url)).statusCode).toBe(401);
    },
  );

  test('a check that throws lets nobody in', async () => {
    const app = await mount({
      authenticate: () => {
        throw new Error(`the directory is away: ${TOKEN}`);
      },
    });
    const answer = await app.inject('/jobs/api/stores');
    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ code: 'OADA_JOBS_DASHBOARD_FAILED' });
    expect(answer.body).not.toContain('directory');
  });

  test('it lives beside cookies and headers of the app', async () => {
    const app = await mount({ password: 'correct horse' }, (around) => {
      around.register(cookie, { hook: 'preHandler' });
      around.register(helmet);
    });
    const payload = { password: 'correct horse' };
    const signedIn = await app.inject({ method: 'POST', url: '/jobs/api/session', payload });
    expect(signedIn.headers['set-cookie']).toContain('Path=/jobs/');
    const [own] = String(signedIn.headers['set-cookie']).split(';');
    const session = await app.inject({ url: '/jobs/api/session', headers: { cookie: own ?? '' } });
    expect(session.json()).toMatchObject({ signedIn: true, by: 'password' });
    expect(session.headers['content-security-policy']).toContain("default-src 'none'");
  });

  test('its cookie is sent over https alone where that is how it is reached', async () => {
    const app = fastify({ trustProxy: true });
    onTestFinished(() => app.close());
    await app.register(dashboard, { stores: STORES, password: 'correct horse', hosts: ['jobs.example.org'] });
    const { headers, statusCode } = await app.inject({
      method: 'POST',
      url: '/api/session',
      payload: { password: 'correct horse' },
      headers: {
        host: 'internal:8080',
        'x-forwarded-host': 'jobs.example.org',
        'x-forwarded-proto': 'https',
        origin: 'https://jobs.example.org',
      },
    });
    expect(statusCode).toBe(204);
    expect(headers['set-cookie']).toContain('; Secure');
  });

  test('it needs a way for people to sign in', async () => {
    await expect(mount({})).rejects.toThrow('needs a `password` or `authenticate`');
    const both = { password: 'correct horse', authenticate: () => true };
    await expect(mount(both)).rejects.toThrow('got both');
  });
});

describe('metrics', () => {
  const metrics = { contentType: 'text/plain; version=0.0.4', metrics: async () => 'jobs_total 7\n' };

  test('are served to who is signed in, or to everybody where that is said', async () => {
    const app = await mount({ authenticate: () => true, metrics });
    const answer = await app.inject('/jobs/metrics');
    expect(answer.body).toBe('jobs_total 7\n');
    expect(answer.headers['content-type']).toContain('version=0.0.4');
    const open = await mount({ authenticate: () => false, metrics, publicMetrics: true });
    expect((await open.inject('/jobs/metrics')).statusCode).toBe(200);
  });

  test('are not there by default', async () => {
    const app = await mount({ authenticate: () => true, pageFolder: await pageFolder() });
    expect((await app.inject('/jobs/metrics')).statusCode).toBe(404);
  });
});

describe('the page', () => {
  test('is served with its parts, which are kept for long where their names say what is in them', async () => {
    const { origin } = new URL((await start({ pageFolder: await pageFolder() })).url);
    const page = await fetch(`${origin}/`);
    expect(page.status).toBe(200);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const part = await fetch(`${origin}/assets/index-abc123.js`);
    expect(part.headers.get('cache-control')).toContain('immutable');
    expect(part.headers.get('content-type')).toContain('javascript');
    for (const path of ['.secret', 'assets/../.secret', '%2e%2e/x', 'nothing.js'])
      expect((await fetch(`${origin}/${path}`)).status).toBeGreaterThanOrEqual(403);
  });

  test('that is not built is told of', async () => {
    const { origin } = new URL((await start({ pageFolder: '/nowhere' })).url);
    const answer = await fetch(`${origin}/`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('build');
  });
});

test.each([
  [{}, 'stores'],
  [{ stores: [] }, 'stores'],
  [{ stores: [{ name: '..', domain: 'a.example', token: 'x' }] }, 'name'],
  [{ stores: [{ name: 'a', domain: '', token: 'x' }] }, 'domain'],
  [{ stores: [{ name: 'a', domain: 'a.example', token: '' }] }, 'token'],
  [{ stores: [...STORES, ...STORES] }, 'name of its own'],
  [{ stores: STORES, readonly: true }, 'did you mean `readOnly`'],
  [{ stores: STORES, readOnly: 'yes' }, 'readOnly'],
  [{ stores: STORES, password: 'short' }, '8 to 1000'],
  [{ stores: STORES, hosts: ['http://a.example'] }, 'hosts'],
  [{ stores: STORES, sessionTimeout: 'long' }, 'sessionTimeout'],
  [{ stores: STORES, metrics: {} }, 'metrics'],
  [{ stores: STORES, port: 70_000 }, 'port'],
  [{ stores: STORES, host: '' }, 'host'],
  [{ stores: STORES, authenticate: () => true }, 'mounted'],
])('the options %j are refused', async (options, told) => {
  const started = startDashboard(options as Parameters<typeof startDashboard>[0]);
  await expect(started).rejects.toMatchObject({ code: 'OADA_JOBS_CONFIG' });
  await expect(started).rejects.toThrow(told);
});

test('a port that is taken is told of, and stop() may be called twice', async () => {
  const running = await start();
  const { port } = new URL(running.url);
  await expect(start({ port: Number(port), stores: STORES })).rejects.toThrow('EADDRINUSE');
  await running.stop();
  await running.stop();
  await expect(fetch(running.url)).rejects.toThrow();
});
