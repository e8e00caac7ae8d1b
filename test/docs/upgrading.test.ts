import { connect } from '@oada/client';
import { doJob } from '@oada/client/jobs';
import { postJob, submit, waitForJob } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';

import { read, startServer, TOKEN } from '../setup.js';
import type { Stored } from '../setup.js';
import { blocksOf } from './blocks.js';
import { Program } from './program.js';

const { fileOf, remove } = blocksOf('docs/upgrading.md');

afterAll(remove);

async function start(server: OADAServer, name: string): Promise<Program> {
  const program = await Program.start(fileOf(name), { domain: server.url, token: TOKEN });
  onTestFinished(() => program[Symbol.asyncDispose]());
  return program;
}

/** What the producers of 3 to 5 get for a job. */
async function request(server: OADAServer, config: Record<string, unknown>): Promise<Stored> {
  const oada = await connect({ domain: server.url, token: TOKEN, connection: 'ws' });
  onTestFinished(() => oada.disconnect());
  return await doJob(oada, { service: 'greeter', type: 'hello', config });
}

describe('what an earlier version could do, and the notes on upgrading show,', () => {
  it('a service of 2 does as it stands', async () => {
    const server = await startServer();
    const program = await start(server, 'two');
    await program.printed('started');
    const oada = server.client();
    const { _id } = await postJob(oada, '/bookmarks/services/greeter/jobs', {
      service: 'greeter',
      type: 'hello',
    });
    const { changes } = await oada.watch({ path: `/${_id}` });
    let job: Stored = await read(oada, `/${_id}`);
    while (job.status !== 'success') {
      await changes.next();
      job = await read(oada, `/${_id}`);
    }
    expect(job.result).toMatchObject({ jobId: _id, read: { _id, type: 'hello' } });
    expect(Object.values(job.updates as object).map(({ meta }: { meta: unknown }) => meta)).toEqual([
      'Runner started',
      'Job started',
      'Runner finished',
    ]);
  });

  it('the example of the README of 2 does as it stands', async () => {
    const server = await startServer();
    const oada = server.client(TOKEN);
    await oada.put({ path: '/bookmarks/thing', data: { thing: 'cool' } });
    const program = await Program.start(fileOf('original'), {
      ...{ domain: server.url, token: TOKEN, apiKey: 'key', OADA_JOBS_LOGGING: 'debug,trace' },
    });
    onTestFinished(() => program[Symbol.asyncDispose]());
    const job = { service: 'service-name', type: 'email', config: { to: 'sam' } };
    const submitted = await submit(oada, { ...job, layout: 'classic' });
    expect((await waitForJob(oada, submitted)).result).toEqual({ coolThing: 'cool' });
    const { updates } = await read(oada, `/${submitted._id}`);
    const statuses = Object.values(updates as Record<string, { status: string }>).map(({ status }) => status);
    expect(statuses).toEqual(['started', 'started', 'confirmed', 'working', 'success']);
  });

  it('a service of 3 or 4 does as it stands', async () => {
    const server = await startServer();
    const program = await start(server, 'four');
    await program.printed('started');
    expect((await request(server, { name: 'Sam' })).result).toEqual({ greeting: 'Hello, Sam!' });
    await expect(request(server, {})).rejects.toMatchObject({ JobError: 'no-name' });
  });

  it('a service of 5, and a producer that knows nothing of this package, do as they stand', async () => {
    const server = await startServer();
    const program = await start(server, 'five');
    await program.printed('started');
    const producer = await start(server, 'request');
    expect(await producer.exited(), producer.output).toBe(0);
    expect(producer.output).toContain("{ greeting: 'Hello, Sam!', status: 200 }");
    expect(producer.output).toContain('UnknownJobTypeError is what the job failed with');
    await program.printed('"msg":"Saying hello"');
  });
});
