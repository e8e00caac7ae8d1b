// A store with services that are at work, for whoever looks at the dashboard: jobs of all kinds, children, schedules,
// queues, and what somebody hostile would post.
import { setTimeout as sleep } from 'node:timers/promises';

import type { OADAClient } from '@oada/client';
import { JobError, Service, submit } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

export const BUSY_TOKEN = 'busy-token';
const HOSTILE = '<img src=x onerror="window.hit=1">';

const FOLDERS = {
  _type: 'application/vnd.oada.service.1+json',
  '*': {
    _type: 'application/vnd.oada.service.jobs.1+json',
    'day-index': {
      '*': { _type: 'application/vnd.oada.service.jobs.1+json' },
    },
  },
};
const TREE = {
  bookmarks: {
    _type: 'application/vnd.oada.bookmarks.1+json',
    services: { _type: 'application/vnd.oada.services.1+json', '*': FOLDERS },
  },
};

export interface BusyStore extends AsyncDisposable {
  readonly url: string;
  readonly oada: OADAClient;
  /** Has a few more jobs done. */
  more(): Promise<void>;
}

export async function startBusyStore(): Promise<BusyStore> {
  const server = await OADAServer.start({
    tokens: [
      { token: BUSY_TOKEN, user: 'users/service' },
      { token: 'north-token', user: 'users/north' },
    ],
  });
  const oada = server.client(BUSY_TOKEN);
  await addPast(oada);
  await Promise.all(['orchard', 'mill'].map((name) => addPast(oada, name, 2)));
  const dairy = makeDairy(server.url);
  const mill = new Service({
    name: 'mill',
    oada: { domain: server.url, token: BUSY_TOKEN },
    drainTimeout: '50ms',
  });
  mill.on('press', '1m', () => ({ litres: 12 }));
  await Promise.all([dairy.start(), mill.start()]);
  await addQueues(oada, server.url);
  await addJobs(oada);
  await steer(dairy);
  return {
    ...{ url: server.url, oada, more: () => addJobs(oada, 8) },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([dairy.stop(), mill.stop()]);
      await server.stop();
    },
  };
}

function makeDairy(domain: string): Service {
  const oada = { domain, token: BUSY_TOKEN };
  const service = new Service({ name: 'dairy', oada, concurrency: 12, drainTimeout: '50ms' });
  service.on<{ litres: number }>('weigh', '1m', async ({ config }, { log, signal }) => {
    void log.info('Scale is reset', { tare: 12.5 });
    await sleep(40 + (config.litres % 90), undefined, { signal });
    void log.info('Weighed', { litres: config.litres, truck: 'T-104' });
    return { litres: config.litres, accepted: true };
  });
  service.on('import-milk-yields', '5m', async (_job, { log, progress, signal }) => {
    void log.info('Reading rows', 'yields-2026-07.csv');
    for (let row = 0; row < 12_000; row += 40) {
      progress(row, 12_000, `Row ${String(row)} of yields-2026-07.csv`);
      await sleep(500, undefined, { signal });
    }
    return {};
  });
  service.on<{ files: string[] }>('check-quality', '5m', async ({ config }, { spawn, allSettled }) => {
    for (const path of config.files) await spawn('check-file', { path }, { name: path });
    return { problems: (await allSettled()).length };
  });
  service.on<{ path: string }>('check-file', '5m', async ({ config }, { progress, signal }) => {
    progress(20, 100, `Line 20 of ${config.path}`);
    if (config.path.startsWith('south'))
      throw new JobError('Line 7001: “wet” is no number', { type: 'bad-row' });
    if (config.path.startsWith('west')) await sleep(300_000, undefined, { signal });
    return [];
  });
  addFailing(service);
  addSchedules(service);
  return service;
}

function addFailing(service: Service): void {
  service.on('send-invoice', '1m', () => {
    throw new JobError(
      'The mail server mail.example.org refuses to talk to us: 421 too many connections. Try again in an hour.',
      {
        type: 'mail-refused',
      },
    );
  });
  service.on('convert', '30ms', (_job, { signal }) => sleep(60_000, undefined, { signal }));
  service.on('press', '1m', () => {
    const parts: string[] | undefined = JSON.parse('null') as undefined;
    return { parts: (parts as unknown as string[]).length };
  });
  service.on(HOSTILE, '1m', () => {
    throw new JobError(HOSTILE, { type: 'hostile' });
  });
}

function addSchedules(service: Service): void {
  service.schedule('weighing', {
    type: 'weigh',
    cron: '30 5 * * 1-6',
    timeZone: 'America/New_York',
    config: { litres: 1240 },
  });
  service.schedule('inventory', { type: 'weigh', every: '2s', config: { litres: 3 } });
  service.schedule('invoices', { type: 'send-invoice', every: '2s' });
  service.schedule('month-end-close', {
    type: 'check-quality',
    cron: '0 6 L * *',
    timeZone: 'Europe/Paris',
    config: { files: [] },
  });
  service.schedule('back-up', { type: 'convert', at: ['02:00', '14:30'] });
  service.schedule('recount', { type: 'weigh', manual: true, config: { litres: 1 } });
}

async function steer(service: Service): Promise<void> {
  await service.events.next(
    'schedule:ended',
    ({ schedule, failures }) => schedule === 'invoices' && failures >= 1,
  );
  await service.schedules.override('inventory', { cron: '15 */2 * * *', timeZone: 'Europe/Paris' });
  await service.schedules.override('invoices', { every: '6h' });
  await service.schedules.disable('back-up');
}

async function addQueues(oada: OADAClient, domain: string): Promise<void> {
  const data = {
    north: { domain, token: 'north-token' },
    east: { domain: 'http://127.0.0.1:9', token: 'east-token' },
  };
  await oada.ensure({ path: '/bookmarks/services/dairy/queues', data: {}, tree: TREE });
  await oada.put({ path: '/bookmarks/services/dairy/queues', data, contentType: 'application/json' });
}

async function addJobs(oada: OADAClient, weighed = 60): Promise<void> {
  const owners = ['users/ann', 'users/kim', undefined];
  const add = (type: string, config: object = {}, more: object = {}): Promise<unknown> =>
    submit(oada, { service: 'dairy', type, config: { ...config }, ...more });
  const many = Array.from({ length: weighed }, (_, index) => {
    const owner = owners[index % owners.length];
    return add('weigh', { litres: 900 + index * 7 }, owner === undefined ? {} : { owner });
  });
  await Promise.all(many);
  if (weighed < 60) return;
  await add(
    'import-milk-yields',
    { file: 'yields-2026-07.csv', herd: 'north', dryRun: false },
    { owner: 'users/ann' },
  );
  await add('import-milk-yields', { file: 'yields-2026-08.csv' });
  const files = ['north.csv', 'south.csv', 'west.csv', 'west-2.csv', 'north-2.csv'];
  await add('check-quality', { files }, { owner: 'users/kim' });
  await add('send-invoice', { customer: 4711 }, { owner: 'users/kim' });
  await add('convert', { file: 'label.svg' });
  await add('press');
  await add('bottle', { note: 'nobody does these' });
  await add(HOSTILE, { html: HOSTILE, script: '</script><script>window.hit=1</script>' });
  for (const hours of [1, 5, 30])
    await add('weigh', { litres: 5 }, { startAfter: new Date(Date.now() + hours * 3_600_000).toISOString() });
}

/** Jobs of the days before. */
async function addPast(oada: OADAClient, service = 'dairy', scale = 20): Promise<void> {
  for (let back = 1; back <= 6; back++) {
    const day = new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
    for (const [status, count] of [
      ['success', (9 - back) * scale + ((back * 37) % 40)],
      ['failure', (back * 3) % 7],
    ] as const) {
      const path = `/bookmarks/services/${service}/jobs-${status}/day-index/${day}`;
      const names = Array.from(
        { length: count },
        (_, index) => `${service}-${day}-${status}-${String(index)}`,
      );
      await Promise.all(names.map((name, index) => addPastJob(oada, name, { service, status, day, index })));
      const data = Object.fromEntries(names.map((name) => [name, { _id: `resources/${name}` }]));
      await oada.ensure({ path, data: {}, tree: TREE });
      await oada.put({ path, data, contentType: 'application/json' });
    }
  }
}

interface Past {
  readonly service: string;
  readonly status: 'success' | 'failure';
  readonly day: string;
  readonly index: number;
}

async function addPastJob(
  oada: OADAClient,
  name: string,
  { service, status, day, index }: Past,
): Promise<void> {
  const hour = String(index % 24).padStart(2, '0');
  const isGood = status === 'success';
  await oada.put({
    path: `/resources/${name}`,
    contentType: 'application/vnd.oada.service.job.1+json',
    data: {
      ...{ service, status, config: { litres: 900 + index } },
      type: isGood ? 'weigh' : 'send-invoice',
      result: isGood
        ? { accepted: true }
        : { name: 'JobError', message: 'The mail server refuses to talk to us.' },
      ...(!isGood && { failureType: 'mail-refused' }),
      updates: {
        a: { status: 'started', time: `${day}T${hour}:15:00.000Z`, meta: 'Runner started' },
        b: { status, time: `${day}T${hour}:15:0${String(index % 10)}.250Z`, meta: 'Runner finished' },
      },
    },
  });
}
