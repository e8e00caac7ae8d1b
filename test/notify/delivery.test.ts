import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';

import { describe, expect, test } from 'vitest';

import {
  countTo,
  eventsOf,
  jobOf,
  listen,
  makeService,
  postJob,
  runJob,
  startServer,
  TOKEN,
} from '../setup.js';
import { HOOK_SECRET, makeNotices, pausing, startWebhook } from './channels.js';
import type { Notices } from './channels.js';

function noticesTo(posturl: string): Notices {
  return makeNotices([{ type: 'slack', posturl }]);
}

/** A port where nobody is. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Lets the waits between four tries pass. */
async function passRetries({ clock }: Notices): Promise<void> {
  for (const wait of [1000, 2000, 4000]) {
    await pausing(clock, wait);
    await clock.advance(wait);
  }
}

describe('a webhook that', () => {
  test('fails for a while gets the message in the end', async () => {
    const webhook = await startWebhook((response, count) => {
      response.writeHead(count < 3 ? 503 : 200).end('ok');
    });
    const notices = noticesTo(webhook.url);
    notices.file();
    for (const wait of [1000, 2000]) {
      await pausing(notices.clock, wait);
      await notices.clock.advance(wait);
    }
    await webhook.posts.count(3);
    await notices.notices.stop();
    expect(new Set(webhook.texts()).size).toBe(1);
    expect(webhook.posts.items).toHaveLength(3);
    expect(notices.failures.items).toEqual([]);
  });

  test('fails on is given up, and that is told, with the next message tried again', async () => {
    const webhook = await startWebhook((response, count) => {
      response.writeHead(count <= 4 ? 500 : 200).end('it says https://hooks.example.org/5ecret');
    });
    const notices = noticesTo(webhook.url);
    notices.file();
    notices.file({ type: 'sow' });
    await passRetries(notices);
    await webhook.posts.count(5);
    await notices.notices.stop();
    expect(notices.failures.items).toMatchObject([
      { reporter: 'slack', dropped: 1, error: { message: 'The webhook answered 500' } },
    ]);
    expect(webhook.texts().map((text) => /type:\* `(\w+)/.exec(text)?.[1])).toEqual([
      ...['plough', 'plough', 'plough', 'plough'],
      'sow',
    ]);
  });

  test('refuses the message is not asked again', async () => {
    const webhook = await startWebhook((response) => response.writeHead(404).end('no_service'));
    const notices = noticesTo(webhook.url);
    notices.file();
    await notices.failures.count(1);
    await notices.notices.stop();
    expect(notices.failures.items[0]!.error.message).toBe('The webhook answered 404 no_service');
    expect(webhook.posts.items).toHaveLength(1);
  });

  test('leads elsewhere is not followed', async () => {
    const elsewhere = await startWebhook();
    const webhook = await startWebhook((response) => {
      response.writeHead(307, { location: elsewhere.url }).end();
    });
    const notices = noticesTo(webhook.url);
    notices.file();
    await notices.failures.count(1);
    await notices.notices.stop();
    expect(notices.failures.items[0]!.error.message).toBe('The webhook answered 307');
    expect(elsewhere.posts.items).toEqual([]);
  });

  test('asks for time is given it, within reason', async () => {
    const webhook = await startWebhook((response, count) => {
      const after = count === 1 ? '30' : '86400';
      response.writeHead(count <= 2 ? 429 : 200, { 'retry-after': after }).end('ok');
    });
    const notices = noticesTo(webhook.url);
    notices.file();
    for (const wait of [30_000, 60_000]) {
      await expect.poll(() => notices.clock.untilNext, { interval: 5 }).toBe(wait);
      await notices.clock.advance(wait);
    }
    await webhook.posts.count(3);
    await notices.notices.stop();
    expect(notices.failures.items).toEqual([]);
  });

  test('does not answer is waited for ten seconds, four times', async () => {
    const webhook = await startWebhook(() => undefined);
    const notices = noticesTo(webhook.url);
    notices.file();
    for (const count of [1, 2, 3, 4]) {
      await webhook.posts.count(count);
      expect(notices.failures.items).toEqual([]);
      await notices.clock.advance(10_000);
      if (count < 4) await notices.clock.advance(4000);
    }
    expect(notices.failures.items).toMatchObject([
      { dropped: 1, error: { message: 'There was no answer within 10000 ms' } },
    ]);
    expect(notices.clock.timers).toBe(0);
    await notices.notices.stop();
  });

  test('takes the message and then hangs has taken it', async () => {
    const webhook = await startWebhook((response) => {
      response.writeHead(200).write('o');
    });
    const notices = noticesTo(webhook.url);
    notices.file();
    notices.file();
    await webhook.posts.count(2);
    await notices.notices.stop();
    expect(notices.failures.items).toEqual([]);
    expect(webhook.posts.items).toHaveLength(2);
  });

  test('is down is given up after four tries', async () => {
    const notices = noticesTo(`http://127.0.0.1:${String(await closedPort())}/${HOOK_SECRET}`);
    notices.file();
    await passRetries(notices);
    await notices.failures.count(1);
    expect(notices.failures.items[0]!.error.message).toBe('The webhook could not be reached (ECONNREFUSED)');
    await notices.notices.stop();
  });
});

describe('a flood', () => {
  test('is told in a hundred messages and one with the number of the rest', async () => {
    const held: (() => void)[] = [];
    const webhook = await startWebhook((response, count) => {
      if (count === 1) held.push(() => response.end('ok'));
      else response.end('ok');
    });
    const { notices, file, failures } = noticesTo(webhook.url);
    for (let count = 0; count < 10_000; count++) file({ key: `job-${String(count)}` });
    await webhook.posts.count(1);
    held[0]!();
    await webhook.posts.count(102);
    expect(webhook.texts().at(-1)).toBe('tractor: and 9899 more failed jobs');
    file({ type: 'sow' });
    await webhook.posts.count(103);
    await notices.stop();
    expect(webhook.texts().at(-1)).toContain('`sow`');
    expect(webhook.posts.items).toHaveLength(103);
    expect(failures.items).toEqual([]);
  });

  test('goes on being counted until its number is told', async () => {
    const held: (() => void)[] = [];
    const webhook = await startWebhook((response, count) => {
      if (count <= 2) held.push(() => response.end('ok'));
      else response.end('ok');
    });
    const { notices, file } = noticesTo(webhook.url);
    for (let count = 0; count < 102; count++) file();
    await webhook.posts.count(1);
    held[0]!();
    await webhook.posts.count(2);
    file(); // there is room for it, but it comes after one that is only counted
    held[1]!();
    await notices.stop();
    expect(webhook.posts.items).toHaveLength(102);
    expect(webhook.texts().at(-1)).toBe('tractor: and 2 more failed jobs');
  });

  test.each([
    [37, 0, 'and 37 more failed jobs'],
    [1, 0, 'and 1 more failed job'],
    [0, 5, 'and 5 more jobs that succeeded'],
    [3, 4, 'and 7 more jobs, 3 of which failed'],
  ])('with %i failures and %i successes too many says "%s"', async (failed, succeeded, text) => {
    const webhook = await startWebhook();
    const { notices, file } = makeNotices([{ type: 'slack', posturl: webhook.url, status: 'both' }]);
    for (let count = 0; count < 101; count++) file();
    for (let count = 0; count < failed; count++) file();
    for (let count = 0; count < succeeded; count++) file({ status: 'success', failureType: undefined });
    await notices.stop();
    expect(webhook.posts.items).toHaveLength(102);
    expect(webhook.texts().at(-1)).toBe(`tractor: ${text}`);
  });

  test('that a channel does not take is told as dropped, with the number of its jobs', async () => {
    const webhook = await startWebhook((response) => response.writeHead(410).end());
    const { notices, file, failures } = noticesTo(webhook.url);
    for (let count = 0; count < 1000; count++) file();
    await failures.count(102);
    await notices.stop();
    expect(failures.items.at(-1)).toMatchObject({ dropped: 1000 - 101 });
    expect(failures.items.reduce((sum, { dropped }) => sum + dropped, 0)).toBe(1000);
  });
});

describe('a stop', () => {
  test('waits for what is on its way', async () => {
    const held: (() => void)[] = [];
    const webhook = await startWebhook((response) => {
      held.push(() => response.end('ok'));
    });
    const { notices, file, failures, clock } = noticesTo(webhook.url);
    file();
    file();
    await webhook.posts.count(1);
    let isOver = false;
    const stopping = notices.stop().then(() => {
      isOver = true;
    });
    await clock.advance(4000);
    expect(isOver).toBe(false);
    held[0]!();
    await webhook.posts.count(2);
    held[1]!();
    await stopping;
    expect(failures.items).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  test('drops the rest after five seconds, and tells how much that was', async () => {
    const webhook = await startWebhook(() => undefined);
    const { notices, file, failures, clock } = noticesTo(webhook.url);
    for (let count = 0; count < 150; count++) file();
    await webhook.posts.count(1);
    const stopping = notices.stop();
    file();
    await clock.advance(5000);
    await stopping;
    await notices.stop();
    expect(failures.items).toMatchObject([
      { dropped: 150, error: { message: 'The service stopped before all messages were sent' } },
    ]);
    expect(clock.timers).toBe(0);
    expect(webhook.posts.items).toHaveLength(1);
  });

  test('ends a wait between two tries', async () => {
    const webhook = await startWebhook((response) => {
      response.writeHead(429, { 'retry-after': '60' }).end();
    });
    const { notices, file, failures, clock } = noticesTo(webhook.url);
    file();
    await expect.poll(() => clock.untilNext, { interval: 5 }).toBe(60_000);
    const stopping = notices.stop();
    await clock.advance(5000);
    await stopping;
    expect(failures.items).toMatchObject([{ dropped: 1 }]);
    expect(clock.timers).toBe(0);
  });

  test('of a service ends, with a webhook that never answers', async () => {
    const webhook = await startWebhook(() => undefined);
    const finishReporters = [{ type: 'slack', posturl: webhook.url }] as const;
    const server = await startServer();
    const service = makeService(server, 'over a socket', { finishReporters });
    service.on('plough', '5s', () => Promise.reject(new Error('no')));
    await service.start();
    const told = listen(service);
    const filed = countTo(service, 'job:filed', 20);
    for (let count = 0; count < 20; count++) await postJob(server.client(TOKEN), jobOf('plough'));
    await filed; // nothing waits for the webhook
    await service.stop();
    expect(eventsOf(told, 'notice:failed')).toMatchObject([{ reporter: 'slack', dropped: 20 }]);
    expect(told.at(-1)!.name).toBe('service:stopped');
  });
});

test('a webhook that refuses harms no job, and its URL is nowhere told', async () => {
  const webhook = await startWebhook((response, count) => {
    if (count === 1) response.destroy();
    else response.writeHead(403).end('invalid_token');
  });
  const server = await startServer();
  const finishReporters = [{ type: 'slack', posturl: webhook.url, status: 'both' }] as const;
  const service = makeService(server, 'in process', { finishReporters }).on('sow', '5s', () => 'done');
  await service.start();
  const told = listen(service);
  const failed = service.events.next('notice:failed');
  expect(await runJob(service, server.client(), jobOf('sow'))).toMatchObject({ status: 'success' });
  expect(await runJob(service, server.client(), jobOf('dig'))).toMatchObject({ failureType: 'unknown-type' });
  await failed;
  await service.stop();
  const shown = inspect(told, { depth: Infinity, showHidden: true });
  expect(shown).toContain('403 invalid_token');
  expect(shown).not.toContain(HOOK_SECRET);
  expect(shown).not.toContain('hook-5ecret');
});

test('each reporter gets its own messages, whatever becomes of those of the other', async () => {
  const [bad, good] = [await startWebhook(() => undefined), await startWebhook()];
  const { notices, file, clock, failures } = makeNotices([
    { type: 'slack', posturl: bad.url },
    { type: 'slack', posturl: good.url, jobTypes: ['sow'] },
  ]);
  file();
  file({ type: 'sow' });
  await good.posts.count(1);
  const stopping = notices.stop();
  await clock.advance(5000);
  await stopping;
  expect(good.texts()).toEqual([expect.stringContaining('`sow`')]);
  expect(failures.items).toMatchObject([{ dropped: 2 }]);
});
