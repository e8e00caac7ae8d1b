import { JobError } from '@oada/jobs';
import type { Service, SlackReporter } from '@oada/jobs';
import type { OADAClient } from '@oada/client';
import { describe, expect, test } from 'vitest';

import { jobOf, makeService, NAME, runJob, startServer, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';
import { makeNotices, startWebhook, textOf } from './channels.js';
import type { Webhook } from './channels.js';

interface Running {
  readonly webhook: Webhook;
  readonly service: Service;
  readonly oada: OADAClient;
  readonly url: string;
}

/** A service whose jobs of type `plough` fail, those of type `sow` do not. */
async function startWith(options: Omit<SlackReporter, 'type' | 'posturl'>): Promise<Running> {
  const [server, webhook] = [await startServer(), await startWebhook()];
  const finishReporters = [{ type: 'slack', posturl: webhook.url, ...options }] as const;
  const service = makeService(server, 'over a socket', { finishReporters })
    .on('plough', '5s', async (_job, { log }) => {
      await log.info('deep', { depth: 'a foot' });
      throw new JobError('the share is worn', 'worn');
    })
    .on('sow', '5s', () => ({ sown: 'wheat' }));
  await service.start();
  return { webhook, service, oada: server.client(TOKEN), url: server.url };
}

async function runBoth({ service, oada }: Running): Promise<void> {
  await runJob(service, oada, jobOf('sow', { field: 'north' }));
  await runJob(service, oada, jobOf('plough', { field: 'south' }));
  await service.stop();
}

test('a failed job is told of by default, and nothing of its content', async () => {
  const running = await startWith({});
  const { webhook, service, oada, url } = running;
  const filed = service.events.next('job:filed', ({ type }) => type === 'plough');
  await runBoth(running);
  const { jobId, path } = await filed;
  expect(webhook.posts.items).toHaveLength(1);
  const lines = webhook.texts()[0]!.split('\n');
  expect(lines).toEqual([
    `*Service:* \`${NAME}\``,
    '*Job type:* `plough`',
    `*Job:* \`${jobId}\``,
    '*Status:* `failure`',
    '*Failure type:* `worn`',
    expect.stringMatching(/^\*When:\* `\d{4}-\d\d-\d\dT[\d:.]+Z`$/),
    `*Filed at:* <${url}${path}>`,
  ]);
  expect((await oada.get({ path })).data).toMatchObject({ _id: jobId });
  const whole = JSON.stringify(webhook.posts.items);
  for (const text of ['share is worn', 'south', 'a foot', TOKEN]) expect(whole).not.toContain(text);
  expect(webhook.posts.items[0].text).toBe(`${NAME}: a job of type plough failed (worn)`);
});

test.each([
  ['success', ['sow']],
  ['failure', ['plough']],
  ['both', ['sow', 'plough']],
] as const)('with status %s, jobs of these types are told of: %j', async (status, types) => {
  const running = await startWith({ status });
  await runBoth(running);
  const told = running.webhook.texts().map((text) => /Job type:\* `(\w+)`/.exec(text)?.[1]);
  expect(told).toEqual(types);
});

test('with job types, only jobs of those are told of', async () => {
  const running = await startWith({ status: 'both', jobTypes: ['sow'] });
  await runBoth(running);
  expect(running.webhook.texts()).toEqual([expect.stringContaining('`sow`')]);
});

describe('what is asked for is included, and nothing else', () => {
  const texts = {
    config: ['north', 'south'],
    result: ['wheat'],
    error: ['the share is worn'],
    updates: ['a foot'],
  };

  test.each(['config', 'result', 'error', 'updates'] as const)('%s', async (part) => {
    const running = await startWith({ status: 'both', include: [part] });
    await runBoth(running);
    const whole = JSON.stringify(running.webhook.posts.items);
    for (const [name, contained] of Object.entries(texts)) {
      for (const text of contained) {
        if (name === part) expect(whole).toContain(text);
        else expect(whole).not.toContain(text);
      }
    }
  });
});

test('a token in what is included is hidden, also one that JSON spells in another way', async () => {
  const webhook = await startWebhook();
  const { notices, file } = makeNotices(
    [{ type: 'slack', posturl: webhook.url, include: ['config', 'error', 'updates'] }],
    {
      redact: (text) => text.replaceAll('se"cr\\et', '[token]'),
      readJob: () =>
        Promise.resolve({
          config: { 'se"cr\\et': ['with se"cr\\et'] },
          result: { message: 'no se"cr\\et' },
          updates: { a: { status: 'sent se"cr\\et', meta: 'se"cr\\et' } },
        }),
    },
  );
  file({ type: 'se"cr\\et', failureType: `${'x'.repeat(196)}se"cr\\et` });
  await notices.stop();
  const whole = textOf(webhook.posts.items[0]);
  expect(whole.match(/\[token\]/g)).toHaveLength(6);
  expect(JSON.stringify(webhook.posts.items)).not.toMatch(/xse|se.{0,4}"cr|cr\\+et/);
});

test('the document is read only for a reporter that includes something of it', async () => {
  const webhook = await startWebhook();
  let reads = 0;
  const readJob = (): Promise<object> => {
    reads++;
    return Promise.resolve({});
  };
  const { notices, file } = makeNotices(
    [
      { type: 'slack', posturl: webhook.url },
      { type: 'slack', posturl: webhook.url, jobTypes: ['sow'], include: ['result'] },
    ],
    { readJob: readJob as () => Promise<Stored> },
  );
  file();
  await webhook.posts.count(1);
  expect(reads).toBe(0);
  file({ type: 'sow' });
  await notices.stop();
  expect(reads).toBe(1);
  expect(webhook.posts.items).toHaveLength(3);
});

test('a document that cannot be read does not keep the message back', async () => {
  const webhook = await startWebhook();
  const { notices, file } = makeNotices([{ type: 'slack', posturl: webhook.url, include: ['config'] }]);
  file();
  await notices.stop();
  expect(webhook.texts()).toEqual([expect.stringMatching(/`plough`[^]*could not be read/)]);
});

test('a document that does not come does not keep the message back for long', async () => {
  const webhook = await startWebhook();
  const { notices, file, clock } = makeNotices(
    [{ type: 'slack', posturl: webhook.url, include: ['config'] }],
    { readJob: () => new Promise(() => undefined) },
  );
  file();
  await clock.advance(5000);
  await webhook.posts.count(1);
  expect(webhook.texts()).toEqual([expect.stringContaining('could not be read')]);
  await notices.stop();
});

describe('hostile content', () => {
  const nasty =
    '<!channel> <!here> <@U123> <https://evil.example|click> & ```end``` `*_~ @here #general \u202e\r\n*Status:* ok';

  test('makes no mention, link, line or format of its own', async () => {
    const webhook = await startWebhook();
    const { notices, file } = makeNotices(
      [{ type: 'slack', posturl: webhook.url, include: ['config', 'error', 'updates'] }],
      {
        readJob: () =>
          Promise.resolve({
            config: { [nasty]: nasty },
            result: { message: nasty },
            updates: { a: { time: nasty, status: nasty, meta: nasty } },
          }),
      },
    );
    file({ type: nasty, failureType: nasty, jobId: nasty, path: `/bookmarks/${nasty}` });
    await notices.stop();
    const [post] = webhook.posts.items;
    expect(post).toMatchObject({
      parse: 'none',
      link_names: false,
      unfurl_links: false,
      unfurl_media: false,
    });
    expect(post.text).not.toMatch(/[<>\n`]/);
    const [head, ...parts] = post.blocks.map(({ text }: { text: object }) => text);
    for (const text of [head, ...parts]) expect(text).toMatchObject({ type: 'mrkdwn', verbatim: true });
    const lines: string[] = head.text.split('\n');
    expect(lines).toHaveLength(7);
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(/^\*[\w ]+:\* `[^`<>\p{Cc}\p{Cf}]*`$/u);
      expect(line).not.toMatch(/&(?!(amp|lt|gt);)/);
    }
    expect(lines.at(-1)).toMatch(/^\*Filed at:\* <https:\/\/oada\.example\.org\/bookmarks\/[^<>|`\s]*>$/);
    expect(parts).toHaveLength(3);
    for (const { text } of parts) expect(text).toMatch(/^\*[\w ,]+\*\n```\n[^`<>\p{Cf}]*\n```$/u);
  });

  test('that is huge is cut to what Slack takes', async () => {
    const webhook = await startWebhook();
    for (const filling of ['&', '<', '`', '€', '😀', '\n', 'a']) {
      const huge = filling.repeat(100_000);
      const updates = Object.fromEntries(
        Array.from({ length: 500 }, (_, index) => [
          `u${String(index).padStart(3, '0')}`,
          { time: `at ${String(index)}`, status: huge.slice(0, 100), meta: { huge: huge.slice(0, 100) } },
        ]),
      );
      const { notices, file } = makeNotices(
        [{ type: 'slack', posturl: webhook.url, include: ['config', 'error', 'updates'] }],
        { readJob: () => Promise.resolve({ config: { huge }, result: huge, updates }) },
      );
      file({ type: huge, failureType: huge, jobId: huge, path: `/${huge}` });
      await notices.stop();
    }
    expect(webhook.posts.items).toHaveLength(7);
    for (const post of webhook.posts.items) {
      const texts: string[] = post.blocks.map(({ text }: { text: { text: string } }) => text.text);
      expect(texts).toHaveLength(4);
      for (const text of [post.text, ...texts]) {
        expect(text.length).toBeLessThanOrEqual(3000);
        expect(text).not.toMatch(/\p{Cs}/u);
        expect(text).not.toMatch(/&(?!(amp|lt|gt);)/);
      }
      for (const text of texts.slice(1)) expect(text.endsWith('\n```')).toBe(true);
      expect(texts.join('').length).toBeLessThan(12_500); // where Slack refuses a message as a whole
      expect(texts[3]).toContain('at 499'); // the last update, where there is no room for all
    }
  });
});
