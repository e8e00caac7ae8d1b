import { request as httpRequest } from 'node:http';

import { describe, expect, test } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import type { Clock } from '../../lib/clock.js';
import { startServer, TOKEN } from '../setup.js';
import type { Answer } from './setup.js';
import { answerOf, AT, browse, cookieIn, signIn, start } from './setup.js';

const PASSWORD = 'correct horse';

async function tryPassword(origin: string, password: unknown, headers = {}): Promise<Response> {
  return await fetch(`${origin}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ password }),
  });
}

/** As browsers do not let a page do it: with any header. */
async function rawGet(
  url: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  return await new Promise((resolve, reject) => {
    httpRequest(url, { headers, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    })
      .on('error', reject)
      .end();
  });
}

/** A clock that goes on by hand. */
function movable(): { clock: Clock; move: (milliseconds: number) => void } {
  let moved = 0;
  return {
    clock: { ...systemClock, monotonic: () => systemClock.monotonic() + moved },
    move: (milliseconds) => {
      moved += milliseconds;
    },
  };
}

describe('the printed address', () => {
  test('signs the first who opens it in, and nobody else', async () => {
    const dashboard = await start();
    const first = await fetch(dashboard.url, { redirect: 'manual' });
    expect(first.status).toBe(303);
    expect(first.headers.get('location')).toBe('/');
    expect(first.headers.get('set-cookie')).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    const again = await answerOf(await fetch(dashboard.url, { redirect: 'manual' }));
    expect(again.status).toBe(401);
    expect(again.json.code).toBe('OADA_JOBS_DASHBOARD_SIGN_IN');
    expect(again.headers.get('set-cookie')).toBeNull();
    const { get } = await browse(new URL(dashboard.url).origin, cookieIn(first));
    expect((await get('api/session')).json).toMatchObject({ signedIn: true, by: 'link', readOnly: false });
  });

  test('is worth nothing after 15 minutes', async () => {
    const { clock, move } = movable();
    const dashboard = await start({ clock });
    move(15 * 60_000);
    expect((await fetch(dashboard.url, { redirect: 'manual' })).status).toBe(401);
  });

  test('that is guessed lets nobody in', async () => {
    const dashboard = await start();
    const { origin } = new URL(dashboard.url);
    expect((await fetch(`${origin}/sign-in/${'A'.repeat(43)}`, { redirect: 'manual' })).status).toBe(401);
    expect((await fetch(dashboard.url, { redirect: 'manual' })).status).toBe(303);
  });
});

describe('a password', () => {
  test('signs in, and a wrong one does not', async () => {
    const { url } = await start({ password: PASSWORD });
    const { origin } = new URL(url);
    expect(url).toBe(`${origin}/`);
    const wrong = await answerOf(await tryPassword(origin, 'incorrect horse'));
    expect([wrong.status, wrong.json.code]).toEqual([401, 'OADA_JOBS_DASHBOARD_PASSWORD']);
    const right = await tryPassword(origin, PASSWORD);
    expect(right.status).toBe(204);
    const { get } = await browse(origin, cookieIn(right));
    expect((await get('api/session')).json).toMatchObject({ signedIn: true, by: 'password' });
  });

  test('may be tried five times a minute', async () => {
    const { clock, move } = movable();
    const { origin } = new URL((await start({ password: PASSWORD, clock })).url);
    for (let index = 0; index < 5; index++) expect((await tryPassword(origin, 'wrong')).status).toBe(401);
    const sixth = await answerOf(await tryPassword(origin, PASSWORD));
    expect([sixth.status, sixth.json.code]).toEqual([429, 'OADA_JOBS_DASHBOARD_TRIES']);
    move(60_000);
    expect((await tryPassword(origin, PASSWORD)).status).toBe(204);
  });

  test('may not be tried more often by who makes up where they come from', async () => {
    const { origin } = new URL((await start({ password: PASSWORD, trustProxy: 1 })).url);
    const tries: number[] = [];
    for (let index = 0; index < 6; index++) {
      const from = { 'x-forwarded-for': `10.0.0.${String(index)}, 192.0.2.7` };
      tries.push((await tryPassword(origin, 'wrong', from)).status);
    }
    expect(tries).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await tryPassword(origin, 'wrong', { 'x-forwarded-for': '192.0.2.8' })).status).toBe(401);
  });

  test.each([0, 1.5, '', 'proxy.example', '10.0.0.1/33', '10.0.0.1,', 'fe80::1%eth0'])(
    'is not begun with %j for its proxies',
    async (trustProxy) => {
      await expect(start({ password: PASSWORD, trustProxy })).rejects.toThrow('expected `trustProxy`');
    },
  );

  test('is begun with the addresses of its proxies', async () => {
    const dashboard = await start({ password: PASSWORD, trustProxy: 'loopback, 10.1.0.0/16, ::1/128' });
    const { origin } = new URL(dashboard.url);
    expect((await tryPassword(origin, PASSWORD)).status).toBe(204);
  });

  test('takes no more than it has to of who is not signed in', async () => {
    const { origin } = new URL((await start({ password: PASSWORD })).url);
    const send = async (length: number): Promise<Answer> =>
      await answerOf(
        await fetch(`${origin}/api/session`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ ['x'.repeat(length)]: 1 }),
        }),
      );
    expect((await send(20_000)).status).toBe(413);
    const { status, json } = await send(10_000);
    expect(status).toBe(400);
    expect(json.message).toContain(`\`${'x'.repeat(50)}…\`; there are password`);
    expect(json.message).not.toContain('x'.repeat(51));
  });

  test('is not tried by pages of others', async () => {
    const { origin } = new URL((await start({ password: PASSWORD })).url);
    expect((await tryPassword(origin, PASSWORD, { origin: 'http://evil.example' })).status).toBe(403);
  });

  test.each([[7], [null], [['a', 'b']], ['x'.repeat(3000)]])('that is %j is refused', async (password) => {
    const { origin } = new URL((await start({ password: PASSWORD })).url);
    expect((await tryPassword(origin, password)).status).toBe(400);
  });

  test('is needed where others can reach the dashboard', async () => {
    await expect(start({ host: '0.0.0.0' })).rejects.toThrow('needs a `password`');
    await expect(start({ host: 'dashboard.example.org' })).rejects.toThrow('needs a `password`');
  });
});

describe('without a session', () => {
  test.each([
    ['GET', 'api/stores'],
    ['GET', AT],
    ['GET', `${AT}/jobs?list=pending`],
    ['GET', `${AT}/job/x`],
    ['POST', `${AT}/jobs`],
    ['POST', `${AT}/paused`],
    ['GET', `${AT}/queues`],
    ['DELETE', `${AT}/queues/x`],
    ['GET', `${AT}/instances`],
    ['GET', `${AT}/schedules`],
    ['POST', `${AT}/schedules/x`],
    ['GET', `${AT}/live`],
    ['DELETE', 'api/session'],
    ['GET', 'api/nothing'],
    ['GET', 'metrics'],
  ])('%s %s is refused', async (method, path) => {
    const metrics = { contentType: 'text/plain', metrics: async () => 'up 1' };
    const { origin } = new URL((await start({ metrics })).url);
    const answer = await answerOf(await fetch(`${origin}/${path}`, { method }));
    expect([answer.status, answer.json.code]).toEqual([401, 'OADA_JOBS_DASHBOARD_SIGN_IN']);
  });

  test('it is told how to sign in, and no token', async () => {
    const { origin } = new URL((await start({ password: PASSWORD })).url);
    const answer = await answerOf(await fetch(`${origin}/api/session`));
    expect(answer.json).toEqual({ signedIn: false, by: 'password', readOnly: false, csrfToken: '' });
  });

  test('a cookie that was made up lets nobody in', async () => {
    const { origin } = new URL((await start()).url);
    const { port } = new URL(origin);
    const { get } = await browse(origin, `oada-jobs-${port}=${'A'.repeat(43)}`);
    expect((await get('api/stores')).status).toBe(401);
  });
});

describe('a session', () => {
  test('is over when it is ended, with what is pushed to it', async () => {
    const server = await startServer();
    const dashboard = await start({ stores: [{ name: 'store', domain: server.url, token: TOKEN }] });
    await server.client(TOKEN).put({
      path: '/bookmarks/services/tractor',
      data: { here: true },
      contentType: 'application/json',
    });
    const { get, send, events } = await signIn(dashboard);
    const live = await events(`${AT}/live`);
    await live.next('connection');
    expect((await send('DELETE', 'api/session')).status).toBe(204);
    await live.ended;
    expect((await get('api/stores')).status).toBe(401);
  });

  test('is over when nothing was asked for so long', async () => {
    const { clock, move } = movable();
    const { get } = await signIn(await start({ clock, sessionTimeout: '1h' }));
    move(59 * 60_000);
    expect((await get('api/stores')).status).toBe(200);
    move(59 * 60_000);
    expect((await get('api/stores')).status).toBe(200);
    move(60 * 60_000);
    expect((await get('api/stores')).status).toBe(401);
  });
});

describe('what changes something', () => {
  const headers = [
    ['no token of the session', { 'x-csrf-token': '' }],
    ['another token', { 'x-csrf-token': 'A'.repeat(43) }],
    ['another origin', { origin: 'http://evil.example' }],
    ['an origin that is none', { origin: 'null' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
  ] as const;

  test.each(headers)('is refused with %s', async (_name, given) => {
    const { send } = await signIn(await start());
    for (const [method, path] of [
      ['POST', `${AT}/paused`],
      ['POST', `${AT}/jobs`],
      ['DELETE', `${AT}/queues/a`],
      ['DELETE', 'api/session'],
    ] as const) {
      const answer = await send(method, path, { paused: true }, given);
      expect([answer.status, answer.json.code]).toEqual([403, 'OADA_JOBS_DASHBOARD_ORIGIN']);
    }
  });

  test('is refused from another site, even with the token', async () => {
    const { origin, cookie, csrfToken } = await signIn(await start());
    const answer = await new Promise<number>((resolve, reject) => {
      const sent = httpRequest(
        `${origin}/${AT}/paused`,
        {
          method: 'POST',
          agent: false,
          headers: { cookie, 'x-csrf-token': csrfToken, 'sec-fetch-site': 'cross-site' },
        },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      sent.on('error', reject);
      sent.end();
    });
    expect(answer).toBe(403);
  });

  test('is refused by a dashboard that is read-only', async () => {
    const browser = await signIn(await start({ readOnly: true }));
    expect((await browser.get('api/session')).json.readOnly).toBe(true);
    for (const [method, path] of [
      ['POST', `${AT}/jobs`],
      ['POST', `${AT}/paused`],
      ['POST', `${AT}/queues`],
      ['DELETE', `${AT}/queues/a`],
      ['POST', `${AT}/schedules`],
      ['POST', `${AT}/schedules/a`],
    ] as const) {
      const answer = await browser.send(method, path, {});
      expect([answer.status, answer.json.code]).toEqual([403, 'OADA_JOBS_DASHBOARD_READ_ONLY']);
    }
    expect((await browser.send('DELETE', 'api/session')).status).toBe(204);
  });
});

describe('a name by which it does not go', () => {
  test('is refused, and those of this machine are not', async () => {
    const { origin } = new URL((await start({ hosts: ['jobs.example.org'] })).url);
    const { port } = new URL(origin);
    const statusAs = async (host: string): Promise<number> =>
      (await rawGet(`${origin}/api/session`, { host })).status;
    for (const name of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', 'x'.repeat(200)])
      expect(await statusAs(name)).toBe(403);
    for (const name of ['localhost', `LOCALHOST:${port}`, `127.0.0.1:${port}`, '[::1]', 'jobs.example.org'])
      expect(await statusAs(name)).toBe(200);
  });

  test('is refused before anything else is looked at', async () => {
    const { url } = await start();
    const answer = await rawGet(url, { host: 'evil.example' });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('OADA_JOBS_DASHBOARD_HOST');
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(303);
  });
});

test('every answer has the headers that keep a page to itself', async () => {
  const { get } = await signIn(await start());
  for (const path of ['', 'api/session', 'api/stores', 'api/nothing', `${AT}/job/x`]) {
    const { headers } = await get(path);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
  }
});
