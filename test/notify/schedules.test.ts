import type { FinishReporter, Notify, Service } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import { jobOf, makeService, runJob, startServer } from '../setup.js';
import { header, makeNotices, startMailServer, startWebhook } from './channels.js';
import type { Notices, Webhook } from './channels.js';

const SUCCESS = { outcome: 'success', failures: 0, message: undefined } as const;

interface Told extends Notices {
  readonly webhook: Webhook;
  /** In one line each, what has been told when all of it is. */
  readonly told: () => Promise<string[]>;
}

async function noticesWith(
  options: Partial<Omit<FinishReporter, 'type'>> = {},
  more: Parameters<typeof makeNotices>[1] = {},
): Promise<Told> {
  const webhook = await startWebhook();
  const made = makeNotices([{ type: 'slack', posturl: webhook.url, ...options }], more);
  const told = async (): Promise<string[]> => {
    await made.notices.stop();
    expect(made.failures.items).toEqual([]);
    return webhook.posts.items.map((post: { text: string }) => post.text);
  };
  return { ...made, webhook, told };
}

/** The first part of what Slack is shown, in lines. */
function headline(webhook: Webhook): string[] {
  return webhook.posts.items[0].blocks[0].text.text.split('\n');
}

describe('a schedule that fails', () => {
  test('each time is told of ever more rarely', async () => {
    const { end, told } = await noticesWith();
    for (let failures = 1; failures <= 3500; failures++) end({ failures, before: failures - 1 });
    const times = [3, 10, 30, 100, 300, 1000, 3000];
    expect(await told()).toEqual([
      'tractor: the schedule nightly failed',
      ...times.map((count) => `tractor: the schedule nightly has failed ${String(count)} times in a row`),
    ]);
  });

  test.each([
    [1, '1 failure'],
    [2, '2 failures'],
    [12, '12 failures'],
  ])('%i times and then works is told of as working again', async (before, text) => {
    const { end, told } = await noticesWith();
    end({ ...SUCCESS, before });
    end({ ...SUCCESS, before: 0 });
    expect(await told()).toEqual([`tractor: the schedule nightly works again after ${text}`]);
  });

  test('is told of with its occurrence and job, and nothing of why', async () => {
    const { end, told, webhook } = await noticesWith();
    end();
    await told();
    expect(headline(webhook)).toEqual([
      '*Service:* `tractor`',
      '*Schedule:* `nightly`',
      '*Job type:* `plough`',
      '*Occurrence:* `2024-01-01T02:00:00.000Z`',
      '*Job:* `resources/abc`',
      '*Status:* `failure`',
      '*When:* `2024-01-01T00:00:00.000Z`',
      '*Job at:* <https://oada.example.org/resources/abc>',
    ]);
    expect(JSON.stringify(webhook.posts.items)).not.toContain('share');
  });

  test('is told of by mail as well', async () => {
    const { host, port, mails } = await startMailServer();
    const to = { from: 'tractor@example.org', to: 'ann@example.org' };
    const { notices, end } = makeNotices([
      { type: 'email', smtp: { host, port }, ...to, include: ['error'] },
    ]);
    end({ jobId: undefined });
    await mails.count(1);
    await notices.stop();
    expect(header(mails.items[0]!, 'Subject')).toBe('tractor: the schedule nightly failed');
    expect(mails.items[0]!.text.trimEnd().split('\n')).toEqual([
      'Service: tractor',
      'Schedule: nightly',
      'Job type: plough',
      'Occurrence: 2024-01-01T02:00:00.000Z',
      'Status: failure',
      'When: 2024-01-01T00:00:00.000Z',
      '',
      'Error:',
      '',
      '    the share is worn',
    ]);
  });

  test('has its error told where that is included, without tokens, and cut', async () => {
    const { end, told, webhook } = await noticesWith({ include: ['error'] });
    end({ message: `the t0ken is worn: ${'x'.repeat(10_000)}` });
    await told();
    const [, error] = webhook.posts.items[0].blocks;
    expect(error.text.text).toMatch(/^\*Error\*\n```\nthe \[token\] is worn: x+…\n```$/);
    expect(error.text.text.length).toBeLessThan(2100);
  });

  test('has what else is included read from its job', async () => {
    const asked: unknown[] = [];
    const readJob = (job: unknown): Promise<object> => {
      asked.push(job);
      return Promise.resolve({ config: { field: 'south' }, result: { message: 'of the job' } });
    };
    const { end, told, webhook } = await noticesWith(
      { include: ['config', 'error'] },
      { readJob: readJob as never },
    );
    end();
    await told();
    expect(asked).toEqual([{ queue: 'default', jobId: 'resources/abc' }]);
    const texts = webhook.posts.items[0].blocks.map(({ text }: { text: { text: string } }) => text.text);
    expect(texts.slice(1)).toEqual([
      '*Error*\n```\nthe share is worn\n```',
      '*Config*\n```\n{\n  "field": "south"\n}\n```',
    ]);
  });

  test('by a name or occurrence made to look like something else is told of on lines of its own', async () => {
    const { end, told, webhook } = await noticesWith();
    end({ schedule: 'a`<!channel>\n*b*', type: 't0ken', occurrence: 'one\u2028two' });
    await told();
    expect(headline(webhook).slice(1, 4)).toEqual([
      '*Schedule:* `aˋ&lt;!channel&gt; *b*`',
      '*Job type:* `[token]`',
      '*Occurrence:* `one two`',
    ]);
  });
});

describe('what is told of', () => {
  /** An occurrence that succeeds, one that fails, and one that succeeds again; one skipped, one missed; then a hold. */
  function live({ end, hold }: Notices, notify: Notify): void {
    end({ notify, ...SUCCESS });
    end({ notify });
    end({ notify, ...SUCCESS, before: 1 });
    end({ notify, outcome: 'skipped', failures: 1, before: 1 });
    end({ notify, outcome: 'missed', failures: 3, before: 3 });
    hold({ notify });
  }
  const [OK, FAILED, AGAIN, HELD] = ['succeeded', 'failed', 'works again', 'is held'];

  test.each([
    ['failure', 'failure', [FAILED, AGAIN, HELD]],
    ['failure', 'both', [FAILED, AGAIN, HELD]],
    ['failure', 'success', []],
    ['always', 'failure', [FAILED, AGAIN, HELD]],
    ['always', 'both', [OK, FAILED, AGAIN, HELD]],
    ['always', 'success', [OK, AGAIN]],
    ['never', 'both', []],
  ] as const)('with notify %j and a reporter for %j is %j', async (notify, status, expected) => {
    const notices = await noticesWith({ status });
    live(notices, notify);
    const told = await notices.told();
    expect(told.map((text) => /succeeded|works again|failed|is held/.exec(text)?.[0])).toEqual(expected);
  });

  test('is what has the types that a reporter is for', async () => {
    const notices = await noticesWith({ jobTypes: ['sow'] });
    live(notices, 'failure');
    notices.end({ type: 'sow', schedule: 'spring' });
    expect(await notices.told()).toEqual(['tractor: the schedule spring failed']);
  });

  test('counts as jobs where too many messages wait', async () => {
    const { end, hold, told } = await noticesWith({ status: 'both' });
    for (let count = 0; count < 101; count++) end();
    end();
    hold();
    end({ ...SUCCESS, before: 1 });
    expect((await told()).at(-1)).toBe('tractor: and 3 more jobs, 2 of which failed');
  });
});

test('a schedule that is held is told of at once, and why where errors are included', async () => {
  const { hold, told, webhook } = await noticesWith({ include: ['error', 'config'] });
  hold();
  expect(await told()).toEqual([
    'tractor: the schedule nightly is held: its own functions throw again and again',
  ]);
  expect(headline(webhook)).toContain('*Status:* `held`');
  expect(webhook.posts.items[0].blocks[1].text.text).toContain('no such field');
});

test('a job that a schedule has started is not told of as a job, unless it comes from another store', async () => {
  const startedBy = { schedule: 'nightly', occurrence: '2024-01-01T02:00:00.000Z' };
  const { file, told } = await noticesWith();
  file({ startedBy });
  file({ startedBy, queue: 'other', type: 'sow' });
  file({ startedBy: undefined, type: 'dig' });
  expect(await told()).toEqual([
    'tractor: a job of type sow failed (worn)',
    'tractor: a job of type dig failed (worn)',
  ]);
});

describe('a service', () => {
  /** Resolves when an occurrence is over, in whichever instance settles it. */
  function ended(services: readonly Service[]): Promise<unknown> {
    return Promise.race(services.map(({ events }) => events.next('schedule:ended')));
  }

  test('of two instances tells of the ends of a schedule once, whoever ran its jobs', async () => {
    const [server, webhook] = [await startServer(), await startWebhook()];
    const finishReporters = [{ type: 'slack', posturl: webhook.url, include: ['error', 'updates'] }] as const;
    let isBroken = true;
    const services = [1, 2].map(() =>
      makeService(server, 'over a socket', { finishReporters, checkInterval: '200ms' })
        .on('plough', '5s', async (_job, { log }) => {
          await log.info('ploughing');
          if (isBroken) throw new Error('the share is worn');
        })
        .schedule('nightly', { type: 'plough', manual: true }),
    );
    for (const service of services) await service.start();
    const run = async (): Promise<void> => {
      const over = ended(services);
      await services[0]!.schedules.run('nightly');
      await over;
    };
    for (let count = 0; count < 3; count++) await run();
    isBroken = false;
    await run();
    await run();
    for (const service of services) await service.stop();
    expect(webhook.posts.items.map((post: { text: string }) => post.text).toSorted()).toEqual([
      'tractor: the schedule nightly failed',
      'tractor: the schedule nightly has failed 3 times in a row',
      'tractor: the schedule nightly works again after 3 failures',
    ]);
    const first = webhook
      .texts()
      .find((_, index) => webhook.posts.items[index].text.endsWith('nightly failed'));
    expect(first).toContain('the share is worn');
    expect(first).toContain('ploughing');
    expect(first).toContain(`Job at:* <${server.url}/resources/`);
  });

  test('tells plainly of jobs that no schedule has started, and not of those that one has', async () => {
    const [server, webhook] = [await startServer(), await startWebhook()];
    const finishReporters = [{ type: 'slack', posturl: webhook.url }] as const;
    const service = makeService(server, 'in process', { finishReporters }).schedule('quiet', {
      ...{ type: 'plough', manual: true, notify: 'never' },
    });
    await service.start();
    const over = ended([service]);
    await service.schedules.run('quiet'); // there is no worker for it
    expect(await over).toMatchObject({ outcome: 'failure', notify: 'never', type: 'plough' });
    await runJob(service, server.client(), { ...jobOf('plough'), startedBy: { user: 'users/sam' } });
    await service.stop();
    expect(webhook.texts()).toHaveLength(1);
    expect(webhook.posts.items[0].text).toBe('tractor: a job of type plough failed (unknown-type)');
  });

  test('that cancels a job of a schedule before its time tells of that once', async () => {
    const [server, webhook] = [await startServer(), await startWebhook()];
    const finishReporters = [{ type: 'slack', posturl: webhook.url }] as const;
    const service = makeService(server, 'in process', { finishReporters })
      .on('plough', '5s', () => 'done')
      .schedule('often', { type: 'plough', every: '1s', jitter: '20d' });
    const started = service.events.next('schedule:started');
    await service.start();
    const { jobId } = await started;
    const over = ended([service]);
    await service.cancel(jobId.slice('resources/'.length));
    expect(await over).toMatchObject({ outcome: 'failure', jobId });
    await service.stop();
    expect(webhook.posts.items.map((post: { text: string }) => post.text)).toEqual([
      'tractor: the schedule often failed',
    ]);
  });
});
