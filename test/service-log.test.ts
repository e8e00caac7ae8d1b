import { Writable } from 'node:stream';

import { Service } from '@oada/jobs';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';

import { jobOf, NAME, runJob, startServer, TOKEN } from './setup.js';

/** A logger of pino, and what it has written. */
function makeLog(): { log: pino.Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { log: pino({ level: 'trace' }, stream), lines };
}

async function start(log: object): Promise<{ service: Service; run: (type: string) => Promise<unknown> }> {
  const server = await startServer();
  const service = new Service({ name: NAME, oada: server.client(TOKEN), log: log as pino.Logger });
  onTestFinished(() => service.stop());
  service.on('talk', '5s', async (_job, { log: jobLog }) => {
    void jobLog.info('fields', { count: 3 });
    void jobLog.info({ count: 4 }, 'as pino has it');
    void jobLog.child({ field: 'north' }).warn('from a child');
    await jobLog.debug(`the token is ${TOKEN}`);
  });
  service.on('break', '5s', () => {
    throw new Error('broken');
  });
  await service.start();
  return { service, run: (type) => runJob(service, server.client(), jobOf(type)) };
}

test('a given logger is told what happens, and what work functions log, whichever way they do', async () => {
  const { log, lines } = makeLog();
  const { run } = await start(log);
  await run('talk');
  const told = lines.map(({ msg, level }) => [msg, level]);
  expect(told).toContainEqual(['Service started', 30]);
  expect(told).toContainEqual(['Job started', 20]);
  expect(told).toContainEqual(['Job succeeded', 30]);
  const own = lines.filter(({ type }) => type === 'talk');
  expect(own).toContainEqual(expect.objectContaining({ msg: 'fields', meta: { count: 3 }, service: NAME }));
  expect(own).toContainEqual(
    expect.objectContaining({ msg: 'as pino has it', meta: { count: 4 }, level: 30 }),
  );
  expect(own).toContainEqual(
    expect.objectContaining({ msg: 'from a child', meta: { field: 'north' }, level: 40 }),
  );
  expect(JSON.stringify(lines)).not.toContain(TOKEN);
});

test('a failure is told with its error, under the name that loggers look for', async () => {
  const { log, lines } = makeLog();
  const { run } = await start(log);
  await run('break');
  const [failed] = lines.filter(({ msg }) => msg === 'Job failed');
  expect(failed).toMatchObject({ level: 50, type: 'break', err: { message: 'broken' } });
});

test('a logger that throws harms no job', async () => {
  const broken = (): never => {
    throw new Error('the disk is full');
  };
  const log = { fatal: broken, error: broken, warn: broken, info: broken, debug: broken, trace: broken };
  const { run } = await start(log);
  expect(await run('talk')).toMatchObject({ status: 'success' });
});
