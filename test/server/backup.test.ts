import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Service, submit } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import { expect, onTestFinished, test } from 'vitest';

import { allFiled, BASE, eventsOf, keysOf, listen, NAME, read, TOKEN, watchRejections } from '../setup.js';
import type { Told } from '../setup.js';

async function folders(): Promise<{ data: string; copy: string }> {
  const parent = await mkdtemp(join(tmpdir(), 'backup-'));
  onTestFinished(() => rm(parent, { recursive: true }));
  return { data: join(parent, 'data'), copy: join(parent, 'copy') };
}

async function startOn(path: string, port = 0): Promise<OADAServer> {
  const server = await OADAServer.start({ path, port, tokens: [{ token: TOKEN, user: 'users/sam' }] });
  onTestFinished(() => server.stop());
  return server;
}

function makeService(server: OADAServer): Service {
  const service = new Service({
    ...{ name: NAME, oada: { domain: server.url, token: TOKEN }, layout: 'classic' },
    ...{ drainTimeout: '50ms', checkInterval: '1s' },
  });
  service.on<{ field: string }>('plough', '10s', ({ config }) => config.field);
  onTestFinished(() => service.stop());
  return service;
}

async function plough(server: OADAServer, ...fields: string[]): Promise<string[]> {
  const jobs = fields.map((field) =>
    submit(server.client(TOKEN), { service: NAME, type: 'plough', config: { field }, layout: 'classic' }),
  );
  return (await Promise.all(jobs)).map(({ key }) => key);
}

/** Resolves when the service has told of so many filings since it was made. */
async function filed(service: Service, told: readonly Told[], count: number): Promise<void> {
  while (eventsOf(told, 'job:filed').length < count) await service.events.next('job:filed');
}

test('a copy of the folder of a server that was stopped is all of its store', async () => {
  watchRejections();
  const { data, copy } = await folders();
  const server = await startOn(data);
  const first = makeService(server);
  const toldFirst = listen(first);
  const done = await plough(server, 'north', 'south');
  await first.start();
  await filed(first, toldFirst, 2);
  await first.stop();
  const pending = await plough(server, 'east', 'west');
  await server.stop();
  await cp(data, copy, { recursive: true });

  // What comes after the copy is lost with the folder.
  const going = await startOn(data);
  await plough(going, 'lost');
  await going.stop();
  await rm(data, { recursive: true });
  await cp(copy, data, { recursive: true });

  const restored = await startOn(data);
  const service = makeService(restored);
  const told = listen(service);
  await service.start();
  await filed(service, told, 2);
  const oada = restored.client(TOKEN);
  expect((await allFiled(oada)).map(({ key }) => key).toSorted()).toEqual([...done, ...pending].toSorted());
  expect(keysOf(await read(oada, `${BASE}/jobs`))).toEqual([]);
});

test('a service goes on by itself when the store comes back as it was before', async () => {
  watchRejections();
  const { data, copy } = await folders();
  const server = await startOn(data);
  const before = await plough(server, 'north', 'south');
  await server.stop();
  await cp(data, copy, { recursive: true });

  const going = await startOn(data);
  const port = Number(new URL(going.url).port);
  const service = makeService(going);
  const told = listen(service);
  await service.start();
  await plough(going, 'lost');
  await filed(service, told, 3);
  await going.stop();
  await rm(data, { recursive: true });
  await cp(copy, data, { recursive: true });

  // It knows later revisions of everything than there are now.
  const restored = await startOn(data, port);
  const after = await plough(restored, 'east');
  await filed(service, told, 3 + 3);
  const oada = restored.client(TOKEN);
  const keys = (await allFiled(oada)).map(({ key }) => key);
  expect(keys.toSorted()).toEqual([...before, ...after].toSorted());
}, 60_000);
