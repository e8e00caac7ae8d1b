import { connect } from '@oada/client';
import type { OADAClient } from '@oada/client';
import { postJob } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import { afterAll, describe, expect, it } from 'vitest';

import { blocksOf } from './blocks.js';
import { Program } from './program.js';

const { names, count, told, fileOf, remove } = blocksOf('README.md');

afterAll(remove);

/** The job, once it has come to its end. */
async function finished(oada: OADAClient, id: string): Promise<Record<string, unknown>> {
  const { changes } = await oada.watch({ path: `/${id}`, type: 'tree' });
  for (;;) {
    const { data } = await oada.get({ path: `/${id}` });
    const job = data as Record<string, unknown>;
    if (job.status === 'success' || job.status === 'failure') {
      await oada.disconnect();
      return job;
    }
    await changes.next();
  }
}

describe('the README', () => {
  it('has no code block that is neither run nor says why not', () => {
    expect(told).toBe(count);
    expect(names).toEqual(['greeter', 'original', 'producer', 'queue-add', 'queue-remove', 'server']);
  });

  it('shows a service that does what its producer asks for', async () => {
    await using server = await OADAServer.start({ tokens: [{ token: 'secret' }] });
    const environment = { domain: server.url, token: 'secret' };
    await using service = await Program.start(fileOf('greeter'), environment);
    await service.printed('Waiting for jobs');

    await using producer = await Program.start(fileOf('producer'), environment);
    expect(await producer.exited(), producer.output).toBe(0);

    const [, id = ''] = /Posted (resources\/\w+)/.exec(producer.output) ?? [];
    const job = await finished(server.client(), id);
    expect(job).toMatchObject({ status: 'success', result: { greeting: 'Hello, world!' } });
    expect(Object.values(job.updates as object)).toContainEqual(
      expect.objectContaining({ status: 'greeting', meta: { name: 'world' } }),
    );

    service.signal('SIGINT');
    expect(await service.exited(), service.output).toBe(0);
  });

  it('shows how queues are added and removed', async () => {
    await using server = await OADAServer.start({ tokens: [{ token: 'secret' }, { token: 'other' }] });
    const environment = { domain: server.url, token: 'secret', otherDomain: server.url, otherToken: 'other' };
    await using service = await Program.start(fileOf('greeter'), {
      ...environment,
      DEBUG: 'oada-jobs:queue*',
    });
    await service.printed('Waiting for jobs');

    await using adding = await Program.start(fileOf('queue-add'), environment);
    expect(await adding.exited(), adding.output).toBe(0);
    const [, queue = ''] = /Watching queue (\w+)/.exec(adding.output) ?? [];
    await service.printed(`${queue}: watching the pending lists`);

    await using removing = await Program.start(fileOf('queue-remove'), { ...environment, queueId: queue });
    expect(await removing.exited(), removing.output).toBe(0);
    expect(removing.output).toContain('Stopped watching it');
    await service.printed(`${queue}: stopping`);
  });

  it('shows the example of earlier versions, which works as it stands', async () => {
    await using server = await OADAServer.start({ tokens: [{ token: 'secret' }] });
    const oada = server.client();
    await oada.put({ path: '/bookmarks/thing', data: { thing: 'cool' } });
    const environment = {
      domain: server.url,
      token: 'secret',
      apiKey: 'key',
      OADA_JOBS_LOGGING: 'debug,trace',
    };
    await using service = await Program.start(fileOf('original'), {
      ...environment,
      DEBUG: 'oada-jobs:service',
    });
    await service.printed('started');

    const path = '/bookmarks/services/service-name/jobs';
    const { _id } = await postJob(oada, path, {
      service: 'service-name',
      type: 'email',
      config: { to: 'sam' },
    });

    const job = await finished(server.client(), _id);
    expect(job).toMatchObject({ status: 'success', result: { coolThing: 'cool' } });
    const statuses = Object.values(job.updates as Record<string, { status: string }>).map(
      ({ status }) => status,
    );
    expect(statuses).toEqual(['started', 'started', 'confirmed', 'working', 'success']);
  });

  it('shows how to start a store', async () => {
    await using program = await Program.start(fileOf('server'));
    await program.printed('token=secret\n');
    const [, url = ''] =
      /^export domain=(http:\/\/127\.0\.0\.1:\d+) token=secret\n$/.exec(program.output) ?? [];
    const oada = await connect({ domain: url, token: 'secret' });
    expect((await oada.get({ path: '/bookmarks/thing/thing' })).data).toBe('stored');
    await oada.disconnect();
    program.signal('SIGINT');
    expect(await program.exited(), program.output).toBe(0);
  });
});
