import { Service } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { afterAll, expect, it, onTestFinished } from 'vitest';

import { OTHER_TOKEN, startServer, TOKEN } from '../setup.js';
import { blocksOf } from './blocks.js';
import { Program } from './program.js';

const producers = blocksOf('docs/learning/producers.md');
const queues = blocksOf('docs/learning/queues.md');
afterAll(() => {
  producers.remove();
  queues.remove();
});

async function startGreeter(server: OADAServer): Promise<Service> {
  const service = new Service({ name: 'greeter', oada: { domain: server.url, token: TOKEN } });
  onTestFinished(() => service.stop());
  service.on<{ name: string }>('hello', '10s', ({ config }) => ({ greeting: `Hello, ${config.name}!` }));
  await service.start();
  return service;
}

async function run(file: string, environment: Record<string, string>): Promise<string> {
  await using program = await Program.start(file, environment);
  expect(await program.exited(), program.output).toBe(0);
  return program.output;
}

it('a producer submits a job, and waits for what comes of it', async () => {
  const server = await startServer();
  await startGreeter(server);
  const output = await run(producers.fileOf('submit'), { OADA_DOMAIN: server.url, OADA_TOKEN: TOKEN });
  expect(output).toMatch(/^resources\/\w+ \{ greeting: 'Hello, world!' \}$/m);
});

it('queues are added and removed', async () => {
  const server = await startServer();
  const service = await startGreeter(server);
  const environment = { OADA_DOMAIN: server.url, OADA_TOKEN: TOKEN };
  const started = service.events.next('queue:started');
  const other = { otherDomain: server.url, otherToken: OTHER_TOKEN };
  const output = await run(queues.fileOf('queue-add'), { ...environment, ...other });
  const [, queueId = ''] = /Watching queue (\w+)/.exec(output) ?? [];
  expect((await started).queue).toBe(queueId);

  const stopped = service.events.next('queue:stopped');
  expect(await run(queues.fileOf('queue-remove'), { ...environment, queueId })).toContain(
    'Stopped watching it',
  );
  expect((await stopped).queue).toBe(queueId);
});
