import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { ConfigError } from '@oada/jobs';
import type { Service, ServiceEvents } from '@oada/jobs';
import { expect, test } from 'vitest';

import { BASE, countTo, makeService, NAME, read, startServer, TOKEN } from '../setup.js';

/** Those of all services together, as they are run. */
function doWork(service: Service, done: string[]): void {
  service.on('plough', '5s', (job) => {
    const { startedBy } = job as unknown as { startedBy: { occurrence: string } };
    done.push(startedBy.occurrence);
    return { ok: true };
  });
}

function ended(
  service: Service,
  schedule: string,
  filter: (event: ServiceEvents['schedule:ended']) => boolean = () => true,
): Promise<ServiceEvents['schedule:ended']> {
  return service.events.next('schedule:ended', (event) => event.schedule === schedule && filter(event));
}

test('a schedule runs jobs from end to end over a socket, and its history says so', async () => {
  const server = await startServer();
  const service = makeService(server, 'over a socket');
  const done: string[] = [];
  doWork(service, done);
  service.schedule('s', { type: 'plough', every: '1s', config: { depth: 5 } });
  const told = countTo(service, 'schedule:ended', 2);
  await service.start();
  await told;
  const history = await service.schedules.history('s');
  expect(history.length).toBeGreaterThanOrEqual(2);
  expect(history.every(({ outcome }) => outcome === 'success')).toBe(true);
  for (const { occurrence } of history) expect(done).toContain(occurrence);
  expect(new Set(done).size).toBe(done.length);
  const [{ job }] = history as unknown as [{ job: { _id: string } }];
  expect(await read(server.client(TOKEN), `/${job._id}`)).toMatchObject({
    status: 'success',
    config: { depth: 5 },
    startedBy: { schedule: 's' },
  });
});

test('two services run each occurrence once', async () => {
  const server = await startServer();
  const done: string[] = [];
  const services = [makeService(server, 'over a socket'), makeService(server, 'over a socket')];
  const ends: Promise<void>[] = [];
  const filed: string[] = [];
  for (const service of services) {
    doWork(service, done);
    service.schedule('s', { type: 'plough', every: '1s' });
    service.events.on('job:filed', ({ jobId }) => filed.push(jobId));
    ends.push(countTo(service, 'job:filed', 2));
    await service.start();
  }
  await Promise.race(ends);
  await Promise.all(services.map((service) => service.stop()));
  expect(new Set(done).size).toBe(done.length);
  expect(filed.length).toBeGreaterThanOrEqual(2);
  expect(new Set(filed).size).toBe(filed.length);
});

test('an operator has a schedule run, overrides and holds it, from another service', async () => {
  const server = await startServer();
  const service = makeService(server, 'over a socket');
  const operator = makeService(server, 'over a socket');
  const done: string[] = [];
  doWork(service, done);
  service.schedule('x', { type: 'plough', manual: true });
  await service.start();
  const first = ended(service, 'x');
  await operator.schedules.run('x');
  expect(await first).toMatchObject({ outcome: 'success' });

  const second = ended(service, 'x', ({ occurrence }) => !occurrence.startsWith('asked:'));
  await operator.schedules.override('x', { every: '1s' });
  await second;
  await operator.schedules.override('x', undefined);

  const held = service.events.next('schedule:ended');
  await operator.schedules.hold();
  await operator.schedules.run('x');
  await operator.schedules.release('reschedule');
  expect(await held).toMatchObject({ schedule: 'x', outcome: 'success' });
  expect(done.filter((occurrence) => occurrence.startsWith('asked:'))).toHaveLength(2);
});

test('one schedule has another one run', async () => {
  const server = await startServer();
  const service = makeService(server, 'over a socket');
  const done: string[] = [];
  doWork(service, done);
  service.schedule('load', { type: 'plough', manual: true, then: ['count'] });
  service.schedule('count', { type: 'plough', manual: true });
  await service.start();
  const counted = ended(service, 'count');
  await service.schedules.run('load');
  await counted;
  const [asked] = done;
  expect(done).toEqual([expect.stringMatching(/^asked:/), `after:load:${asked!}`]);
});

test.each([
  ['run each other in a circle', ['b', 'a']],
  ['are to be followed by one that is not there', ['b', 'nobody']],
] as const)('schedules that %s are refused at the start, which leaves nothing behind', async (_, [a, b]) => {
  const server = await startServer();
  const service = makeService(server, 'over a socket');
  service.schedule('a', { type: 'plough', manual: true, then: [a] });
  service.schedule('b', { type: 'plough', manual: true, then: [b] });
  await expect(service.start()).rejects.toThrow(ConfigError);
  const services = await read(server.client(TOKEN), BASE);
  expect(Object.keys(services.schedules ?? {})).toEqual([]);
  await service.stop();
});

const PROGRAM = `
  import { Service } from '@oada/jobs';
  const [, domain, token] = process.argv;
  const service = new Service({ name: '${NAME}', oada: { domain, token } });
  service.on('plough', '5s', () => ({}));
  for (let index = 0; index < 20; index++)
    service.schedule('s' + String(index), { type: 'plough', every: '1s', shouldRun: () => index > 0 });
  await service.start();
  await service.events.next('schedule:ended', ({ outcome }) => outcome === 'success');
  await service.stop();
  console.log('stopped');
`;

test('a process whose service was stopped ends by itself', async () => {
  const server = await startServer();
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, server.url, TOKEN],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TSX_TSCONFIG_PATH: 'tsconfig.json' } },
  );
  const out: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => out.push(data));
  const [code] = (await once(child, 'exit')) as [number];
  expect(Buffer.concat(out).toString()).toBe('stopped\n');
  expect(code).toBe(0);
});
