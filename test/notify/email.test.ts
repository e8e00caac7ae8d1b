import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';

import { JobError } from '@oada/jobs';
import type { EmailReporter, Service } from '@oada/jobs';
import { describe, expect, onTestFinished, test } from 'vitest';

import { jobOf, makeService, NAME, runJob, startServer, TOKEN } from '../setup.js';
import { header, headerNames, makeNotices, pausing, Received, startMailServer } from './channels.js';
import type { MailServer } from './channels.js';

const FROM = 'Tractor <tractor@example.org>';

function reporterTo({ host, port }: Pick<MailServer, 'host' | 'port'>, more: object = {}): EmailReporter {
  return { type: 'email', smtp: { host, port }, from: FROM, to: 'ann@example.org', ...more };
}

async function runBoth(mailServer: MailServer, more: object = {}): Promise<Service> {
  const server = await startServer();
  const finishReporters = [reporterTo(mailServer, more)];
  const service = makeService(server, 'in process', { finishReporters })
    .on('plough', '5s', () => {
      throw new JobError('the share is worn', 'worn');
    })
    .on('sow', '5s', () => ({ sown: 'wheat' }));
  await service.start();
  await runJob(service, server.client(), jobOf('sow', { field: 'north' }));
  await runJob(service, server.client(), jobOf('plough', { field: 'süd' }));
  await service.stop();
  return service;
}

test('a failed job is told of by default, and nothing of its content', async () => {
  const mailServer = await startMailServer();
  await runBoth(mailServer, { to: ['ann@example.org', 'bob@example.org'] });
  expect(mailServer.mails.items).toHaveLength(1);
  const [mail] = mailServer.mails.items;
  expect(mail!.from).toBe('tractor@example.org');
  expect(mail!.to).toEqual(['ann@example.org', 'bob@example.org']);
  expect(header(mail!, 'Subject')).toBe(`${NAME}: a job of type plough failed (worn)`);
  expect(header(mail!, 'Auto-Submitted')).toBe('auto-generated');
  expect(header(mail!, 'Content-Type')).toMatch(/^text\/plain/);
  expect(mail!.text.trimEnd().split('\n')).toEqual([
    `Service: ${NAME}`,
    'Job type: plough',
    expect.stringMatching(/^Job: resources\/\w+$/),
    'Status: failure',
    'Failure type: worn',
    expect.stringMatching(/^When: \d{4}-\d\d-\d\dT[\d:.]+Z$/),
    expect.stringMatching(
      /^Filed at: http:\/\/\S+\/bookmarks\/services\/tractor\/jobs-failure\/day-index\/[\d-]+\/job-\d+$/,
    ),
  ]);
});

test('what is asked for is included', async () => {
  const mailServer = await startMailServer();
  await runBoth(mailServer, { status: 'both', include: ['config', 'error'] });
  const [sow, plough] = mailServer.mails.items;
  expect(header(sow!, 'Subject')).toBe(`${NAME}: a job of type sow succeeded`);
  expect(sow!.text).toContain('\nConfig:\n\n    {\n      "field": "north"\n    }\n');
  expect(sow!.text).not.toContain('wheat');
  expect(plough!.text).toContain('"süd"');
  expect(plough!.text).toMatch(/\nError:\n\n {4}\{[^]*"message": "the share is worn"/);
});

test('only jobs of the named types are told of', async () => {
  const mailServer = await startMailServer();
  await runBoth(mailServer, { status: 'both', jobTypes: ['sow'] });
  expect(mailServer.mails.items.map(({ text }) => text)).toEqual([
    expect.stringContaining('Job type: sow\n'),
  ]);
});

describe('hostile content', () => {
  const nasty =
    'x\r\nBcc: eve@example.org\r\n\r\nStatus: success\n.\r\nQUIT\r\n\u0085\u2028Y: z\u202e\0=?utf-8?Q?=0D=0AX:1?=';

  test('adds no header, no recipient and no line', async () => {
    const mailServer = await startMailServer();
    await runBoth(mailServer);
    const { notices, file } = makeNotices([reporterTo(mailServer, { include: ['config', 'updates'] })], {
      service: nasty,
      readJob: () => Promise.resolve({ config: nasty, updates: { a: { status: nasty, time: nasty } } }),
    });
    file({ type: nasty, failureType: nasty, jobId: nasty, path: `/${nasty}` });
    await notices.stop();
    const [plain, mail] = mailServer.mails.items;
    expect(mail!.to).toEqual(['ann@example.org']);
    expect(headerNames(mail!).toSorted()).toEqual(headerNames(plain!).toSorted());
    const lines = mail!.text.split('\n');
    for (const line of lines)
      expect(line).toMatch(
        /^(Service|Job type|Job|Status|Failure type|When|Filed at): |^(Config|Updates.*):$|^ {4}|^$/,
      );
    expect(lines.filter((line) => line.startsWith('Status: '))).toEqual(['Status: failure']);
    expect(lines.find((line) => line.startsWith('Filed at: '))).toMatch(
      /^Filed at: https:\/\/oada\.example\.org\/x\S+$/,
    );
  });

  test('that is huge is cut', async () => {
    const mailServer = await startMailServer();
    const huge = 'x'.repeat(1_000_000);
    const { notices, file } = makeNotices([reporterTo(mailServer, { include: ['config', 'error'] })], {
      readJob: () => Promise.resolve({ config: { huge }, result: huge }),
    });
    file({ type: huge, failureType: huge, jobId: huge, path: `/${huge}` });
    await notices.stop();
    const [mail] = mailServer.mails.items;
    expect(mail!.headers.length).toBeLessThan(2000);
    expect(mail!.text.length).toBeLessThan(45_000);
  });
});

describe('a mail server that', () => {
  test('knows the user takes the mail, and the password is nowhere told', async () => {
    const mailServer = await startMailServer({
      authOptional: false,
      onAuth: ({ username, password }, _session, done) => {
        if (password === 'pa55word') done(null, { user: username });
        else done(new Error(`no such password: ${password ?? ''}`));
      },
    });
    const smtp = (password: string): string => `smtp://me:${password}@127.0.0.1:${String(mailServer.port)}`;
    const good = makeNotices([reporterTo(mailServer, { smtp: smtp('pa55word') })]);
    good.file();
    await good.notices.stop();
    expect(good.failures.items).toEqual([]);
    expect(mailServer.mails.items).toHaveLength(1);

    const bad = makeNotices([reporterTo(mailServer, { smtp: smtp('wr0ng') })]);
    bad.file();
    await bad.notices.stop();
    expect(bad.failures.items).toMatchObject([
      { reporter: 'email', dropped: 1, error: { message: 'The mail could not be sent (EAUTH, 535)' } },
    ]);
    expect(inspect(bad.failures.items, { depth: Infinity, showHidden: true })).not.toContain('wr0ng');
  });

  test('refuses one of two recipients is not asked again, and that is told', async () => {
    const mailServer = await startMailServer({
      onRcptTo: ({ address }, _session, done) => {
        done(address === 'bob@example.org' ? new Error('who is bob?') : null);
      },
    });
    const { notices, file, failures } = makeNotices([
      reporterTo(mailServer, { to: ['ann@example.org', 'bob@example.org'] }),
    ]);
    file();
    await notices.stop();
    expect(mailServer.mails.items).toMatchObject([{ to: ['ann@example.org'] }]);
    expect(failures.items).toMatchObject([
      { error: { message: 'The mail server refused 1 of the recipients' }, dropped: 1 },
    ]);
  });

  test('is busy gets the mail later', async () => {
    let asked = 0;
    const mailServer = await startMailServer({
      onMailFrom: (_address, _session, done) => {
        done(++asked < 3 ? Object.assign(new Error('later'), { responseCode: 451 }) : null);
      },
    });
    const { notices, file, failures, clock } = makeNotices([reporterTo(mailServer)]);
    file();
    for (const wait of [1000, 2000]) {
      await pausing(clock, wait);
      await clock.advance(wait);
    }
    await mailServer.mails.count(1);
    await notices.stop();
    expect(failures.items).toEqual([]);
  });

  test('does not answer is given up, and its connections are closed', async () => {
    const sockets = new Received<Socket>();
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      sockets.add(socket);
    }).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { notices, file, failures, clock } = makeNotices([reporterTo({ host: '127.0.0.1', port })]);
    file();
    for (const count of [1, 2, 3, 4]) {
      await sockets.count(count);
      const closed = once(sockets.items[count - 1]!, 'close');
      expect(failures.items).toEqual([]);
      await clock.advance(10_000);
      await closed;
      if (count < 4) await clock.advance(4000);
    }
    expect(failures.items).toMatchObject([
      { dropped: 1, error: { message: 'There was no answer within 10000 ms' } },
    ]);
    await notices.stop();
    expect(clock.timers).toBe(0);
  });

  test('is down is given up after four tries', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const { notices, file, failures, clock } = makeNotices([reporterTo({ host: '127.0.0.1', port })]);
    file();
    for (const wait of [1000, 2000, 4000]) {
      await pausing(clock, wait);
      await clock.advance(wait);
    }
    await failures.count(1);
    expect(failures.items[0]!.error.message).toMatch(
      /^The mail could not be sent \((ESOCKET|ECONNECTION)\)$/,
    );
    await notices.stop();
  });
});

test('no token is told by mail', async () => {
  const mailServer = await startMailServer();
  const server = await startServer();
  const finishReporters = [reporterTo(mailServer, { include: ['config', 'error', 'updates'] })];
  const service = makeService(server, 'over a socket', { finishReporters }).on(TOKEN, '5s', () => {
    throw new JobError(`it came in with ${TOKEN}`, TOKEN);
  });
  await service.start();
  await runJob(service, server.client(), jobOf(TOKEN, { [TOKEN]: `Bearer ${TOKEN}` }));
  await service.stop();
  expect(mailServer.mails.items[0]!.text).toContain('Bearer [token]');
  expect(JSON.stringify(mailServer.mails.items)).not.toContain(TOKEN);
});
