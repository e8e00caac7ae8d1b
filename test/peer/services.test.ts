import { createHmac } from 'node:crypto';
import { join } from 'node:path';

import { connect } from '@oada/client';
import type { OADAClient } from '@oada/client';
import { doJob } from '@oada/client/jobs';
import { postJob } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { expect, onTestFinished, test } from 'vitest';

import { Program, root } from '../docs/program.js';
import { keysOf, OTHER_TOKEN, read, startServer, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';

/** A service that was written for an earlier version, in a process of its own. */
async function startService(name: string, environment: Record<string, string>): Promise<Program> {
  const program = await Program.start(join(root, `test/peer/services/${name}.ts`), environment);
  onTestFinished(() => program[Symbol.asyncDispose]());
  await program.printed('ready');
  return program;
}

async function producerOf({ url: domain }: OADAServer, token = TOKEN): Promise<OADAClient> {
  const client = await connect({ domain, token, connection: 'ws', concurrency: 10 });
  onTestFinished(() => client.disconnect());
  return client;
}

/** The job, once it has a final status. */
async function ended(oada: OADAClient, id: string): Promise<Stored> {
  const { changes } = await oada.watch({ path: `/${id}` });
  for (;;) {
    const job: Stored = await read(oada, `/${id}`);
    if (job.status === 'success' || job.status === 'failure') return job;
    await changes.next();
  }
}

function statusesOf(job: Stored): string[] {
  return Object.values(job.updates as Record<string, { status: string }>).map(({ status }) => status);
}

test('a mail sender of 3 to 5 sends what it is asked for, and says why it does not', async () => {
  const server = await startServer();
  const environment = { domain: server.url, token: TOKEN, OADA_JOBS_LOGGING: 'debug,trace' };
  const mailer = await startService('mailer', environment);
  const oada = await producerOf(server);
  const jobOf = (config: object) => ({ service: 'mailer', type: 'email', config: { ...config } });
  const mail = {
    from: 'farm@example.org',
    to: 'sam@example.org',
    subject: 'Harvest',
    text: 'Dear {{name}}',
    html: '<p>Dear {{name}}</p>',
    templateData: { name: 'Sam' },
    attachments: [{ content: 'YQ==', filename: 'a.txt', type: 'text/plain' }],
  };
  const job: Stored = await doJob(oada, jobOf(mail));
  expect(job.result).toEqual({ statusCode: 202 });
  expect(statusesOf(job)).toEqual(['started', 'started', 'confirmed', 'success']);
  await mailer.printed('sent ');
  const [, sent = '{}'] = /^sent (.*)$/m.exec(mailer.output) ?? [];
  expect(JSON.parse(sent)).toMatchObject({
    to: mail.to,
    text: 'Dear Sam',
    html: '<p>Dear Sam</p>',
    multiple: true,
  });

  await expect(doJob(oada, jobOf(mail))).rejects.toThrow('There was a mail to "sam@example.org" before');
  await expect(doJob(oada, jobOf({ ...mail, from: undefined }))).rejects.toThrow(/from/);
  const binary = {
    ...mail,
    to: 'kim@example.org',
    attachments: [{ content: { _id: 'resources/a' }, filename: 'a' }],
  };
  await expect(doJob(oada, jobOf(binary))).rejects.toMatchObject({
    name: 'AssertionError',
    code: 'ERR_ASSERTION',
    message: 'Binary attachments are not supported',
  });
  expect(mailer.output.match(/^sent /gm)).toHaveLength(1);
});

test('a signer of 2 serves the users of all its tokens', async () => {
  const server = await startServer();
  const tokens = [TOKEN, OTHER_TOKEN];
  const signer = await startService('signer', { domain: server.url, tokens: tokens.join(), key: 'secret' });
  for (const token of tokens) {
    const oada = await producerOf(server, token);
    const path = '/bookmarks/contract';
    await oada.put({ path, data: { text: token }, contentType: 'application/json' });
    const document = await read(oada, path);
    const post = (config: object) =>
      postJob(oada, '/bookmarks/services/signer/jobs', { service: 'signer', type: 'sign', config });

    const { _id } = await post({ path });
    expect(await ended(oada, _id)).toMatchObject({ status: 'success', result: { success: true } });
    const { signatures } = await read(oada, '/bookmarks').then(({ contract }) => contract);
    const signature = createHmac('sha256', 'secret').update(JSON.stringify(document)).digest('hex');
    expect(signatures).toEqual({ [signature]: { name: 'The signer', url: 'https://signer.example' } });

    const again = await ended(oada, (await post({ path }))._id);
    expect(again.result).toEqual({ success: true, skipped: true });
    const missing = await ended(oada, (await post({ path: '/bookmarks/none' }))._id);
    expect(missing).toMatchObject({
      status: 'failure',
      result: {
        name: 'Error',
        message: `Job ${missing._id}: cannot get /bookmarks/none`,
        cause: { code: '404' },
      },
    });
    const pathless = await ended(oada, (await post({ document: 'contract' }))._id);
    expect(pathless.result.message).toBe(`The config of job ${pathless._id} has no path`);
    const day = new Date().toISOString().slice(0, 10);
    const list = `/bookmarks/services/signer/jobs-success/day-index/${day}`;
    await expect.poll(async () => keysOf(await read(oada, list))).toContain(_id.replace('resources/', ''));
  }
  for (const token of tokens) expect(signer.output).not.toContain(token);
});

test('a sync service of 5 logs as it did to its own logger, and to the job as well', async () => {
  const server = await startServer();
  const archiver = await startService('archiver', { domain: server.url, token: TOKEN });
  const oada = await producerOf(server);
  await oada.put({ path: '/resources/titled', data: { title: 'A' }, contentType: 'application/json' });
  await oada.put({ path: '/resources/blank', data: { a: 1 }, contentType: 'application/json' });
  const jobOf = (id: string) => ({
    service: 'archiver',
    type: 'archive',
    config: { doc: { _id: `resources/${id}` }, archive: 'east' },
  });

  const job: Stored = await doJob(oada, jobOf('titled'));
  expect(job.result).toEqual({ ...jobOf('titled').config, archived: 'A' });
  expect(Object.values(job.updates as object)).toContainEqual(
    expect.objectContaining({
      status: 'stage completed',
      meta: { archive: 'east', stage: 'fetch', duration: expect.any(Number) },
    }),
  );
  await archiver.printed('"stage completed"');
  expect(archiver.output).toContain(`"jobId":"${String(job._id)}"`);

  await expect(doJob(oada, jobOf('blank'))).rejects.toMatchObject({
    message: 'resources/blank has no title',
    JobError: 'no-title',
  });
  const counted: Stored = await doJob(oada, { service: 'archiver', type: 'count', config: {} });
  expect(counted.result).toBe(1);
  const day = new Date().toISOString().slice(0, 10);
  const typed = `/bookmarks/services/archiver/jobs/typed-failure/no-title/day-index/${day}`;
  await expect.poll(async () => keysOf(await read(oada, typed))).toHaveLength(1);
  archiver.signal('SIGTERM');
  expect(await archiver.exited(), archiver.output).toBe(0);
});
