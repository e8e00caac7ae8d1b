// `npm run bench`: what every claim about speed rests on. `npm run bench -- --quick` does a tenth of the work.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

import { OADAServer } from '@oada/jobs/server';

import { firstView } from './dashboard.js';
import { drain } from './drain.js';
import { linkCosts } from './lists.js';
import { InProcess, measure, Socket } from './raw.js';
import { scheduleCosts } from './schedules.js';
import type { ScheduleCosts } from './schedules.js';
import { startStore, TOKEN } from './store.js';
import { plainTable } from './table.js';

const scale = process.argv.includes('--quick') ? 0.1 : 1;
const count = (full: number): number => Math.round(full * scale);

console.log(`Node ${process.version} on ${String(cpus().length)} × ${cpus()[0]?.model ?? 'unknown'}\n`);

const folder = await mkdtemp(join(tmpdir(), 'oada-jobs-bench-'));
try {
  await rawRequests();
  await lists();
  await jobs();
  await schedules();
  await dashboard();
} finally {
  await rm(folder, { recursive: true });
}

async function rawRequests(): Promise<void> {
  const table = plainTable(['raw requests/s, server on disk', '1 in flight', '10', '50']);
  const inFlight = [1, 10, 50];
  await using store = await startStore(join(folder, 'raw'));
  await using socket = await Socket.open(store.url, TOKEN);
  await using server = await OADAServer.start({
    path: join(folder, 'raw-in-process'),
    tokens: [{ token: TOKEN }],
  });
  const inProcess = new InProcess(server.client());
  for (const [name, wire] of [
    ['one WebSocket, two processes', socket],
    ['in process', inProcess],
  ] as const) {
    for (const method of ['GET', 'PUT'] as const) {
      const rates: number[] = [];
      for (const at of inFlight) rates.push(await measure(wire, method, at, count(20_000)));
      table.push([`${method}, ${name}`, ...rates.map((rate) => Math.round(rate))]);
    }
  }
  console.log(table.toString(), '\n');
}

async function lists(): Promise<void> {
  const { small, large, ratio } = await linkCosts(join(folder, 'lists'), count(4000));
  const table = plainTable(['one link PUT and its DELETE', 'µs', 'ratio (aim: at most 1.5)']);
  table.push(
    ['in a list of 100', small.toFixed(0), ''],
    ['in a list of 100,000', large.toFixed(0), ratio.toFixed(2)],
  );
  console.log(table.toString(), '\n');
}

async function jobs(): Promise<void> {
  const head = [
    'jobs drained at concurrency 10',
    'jobs/s',
    'GET',
    'PUT',
    'DELETE',
    'requests per job (aim: at most 6)',
  ];
  const table = plainTable(head);
  const total = count(5000);
  {
    await using store = await startStore(join(folder, 'jobs'));
    table.push(await drain('over a socket, two processes', { domain: store.url, token: TOKEN }, total));
  }
  {
    await using server = await OADAServer.start({
      path: join(folder, 'jobs-in-process'),
      tokens: [{ token: TOKEN }],
    });
    table.push(await drain('in process, server on disk', server.client(), total));
  }
  {
    await using server = await OADAServer.start({ tokens: [{ token: TOKEN }] });
    table.push(await drain('in process, server in memory', server.client(), total));
  }
  console.log(table.toString());
}

async function schedules(): Promise<void> {
  const sizes = [count(1000), count(10_000)];
  const costs: ScheduleCosts[] = [];
  for (const size of sizes) costs.push(await scheduleCosts(size));
  const row = (name: string, value: (cost: ScheduleCosts) => string): string[] => [name, ...costs.map(value)];
  const table = plainTable(['schedules, 10 of which are due each hour', ...sizes.map(String)]);
  table.push(
    row('first start, s', ({ firstStart }) => (firstStart / 1000).toFixed(1)),
    row('restart, s', ({ restart }) => (restart / 1000).toFixed(1)),
    row('heap, MB', ({ heap }) => (heap / 1e6).toFixed(0)),
    row('requests in an idle hour', ({ perIdleHour }) => perIdleHour.toFixed(0)),
    row('requests per occurrence', ({ perOccurrence }) => perOccurrence.toFixed(1)),
    row('half an hour with 10 due, ms', ({ hour }) => hour.toFixed(0)),
    row('a change of the controls, ms', ({ change }) => change.toFixed(0)),
  );
  console.log('\n', table.toString());
}

async function dashboard(): Promise<void> {
  const [finished, pending] = [count(100_000), count(5000)];
  const view = await firstView(join(folder, 'dashboard'), finished, pending);
  const head = `dashboard, ${String(finished)} jobs finished today, ${String(pending)} pending`;
  const table = plainTable([head, 'ms (aim: at most 1000)']);
  table.push(
    ['the counts', view.counts.toFixed(0)],
    ["with today's", view.today.toFixed(0)],
    ['fifty finished jobs', view.page.toFixed(0)],
    ['the last hour', view.throughput.toFixed(0)],
    ['the fifty again', view.again.toFixed(0)],
    ['heap of the dashboard, MB', (view.heap / 1e6).toFixed(0)],
  );
  console.log('\n', table.toString());
}
