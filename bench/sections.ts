import { OADAServer } from '@oada/jobs/server';

import { openProxy } from '../test/tcp-proxy.js';
import { withBacklog } from './backlog.js';
import { firstView } from './dashboard.js';
import { bare, drain } from './drain.js';
import type { Drained } from './drain.js';
import type { Figures } from './figures.js';
import { idle } from './idle.js';
import { importTimes } from './imports.js';
import { share } from './instances.js';
import { postingToWork } from './latency.js';
import { linkCosts } from './lists.js';
import { InProcess, measure, Socket } from './raw.js';
import { scheduleCosts } from './schedules.js';
import { startStore, TOKEN } from './store.js';
import { updates } from './updates.js';

export interface Bench {
  readonly figures: Figures;
  readonly folder: string;
  /** How many; in a quick run a fiftieth of that, or what it takes to measure anything. */
  readonly count: (full: number, quick?: number) => number;
}

/** How often what is compared is measured, by turns. */
const ROUNDS = 3;
const CONCURRENCY = 10;

/** In the order in which they are measured. */
export const SECTIONS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  server: async ({ figures, folder, count }) => {
    figures.section('embedded server on disk, requests per second');
    await using store = await startStore(folder);
    await using socket = await Socket.open(store.url, TOKEN);
    await using server = await OADAServer.start({ path: `${folder}-2`, tokens: [{ token: TOKEN }] });
    const inProcess = new InProcess(server.client());
    for (const [name, wire, goal] of [
      ['one WebSocket, two processes', socket, '≥ 8,000'],
      ['in process', inProcess, '≥ 30,000'],
    ] as const) {
      for (const method of ['GET', 'PUT'] as const) {
        for (const at of [1, 10, 50]) {
          const rate = await measure(wire, method, at, count(20_000));
          figures.add(
            `${method}, ${name}, ${String(at)} in flight`,
            rate,
            at === 50 && method === 'GET' ? goal : undefined,
            0,
          );
        }
      }
    }
  },

  lists: async ({ figures, folder, count }) => {
    figures.section('one link PUT and its DELETE');
    const { small, large, ratio } = await linkCosts(folder, count(4000));
    figures.add('in a list of 100, µs', small, undefined, 0);
    figures.add('in a list of 100,000, µs', large, undefined, 0);
    figures.add('in a list of 100,000 ÷ of 100', ratio, '≤ 1.2');
  },

  drain: async ({ figures, folder, count }) => {
    const total = count(4000);
    figures.section('jobs that do nothing, at concurrency 10, server on disk');
    {
      await using store = await startStore(folder);
      await using socket = await Socket.open(store.url, TOKEN);
      const address = { domain: store.url, token: TOKEN };
      const rates = await byTurns(ROUNDS, async (prefix) => ({
        service: await drain(address, total, { concurrency: CONCURRENCY, prefix: `job${prefix}` }),
        bare: await bare(socket, address, total, { concurrency: CONCURRENCY, prefix: `bare${prefix}` }),
      }));
      tellDrained(figures, 'over a socket, two processes', rates, '≥ 1,000');
    }
    {
      await using server = await OADAServer.start({ path: `${folder}-2`, tokens: [{ token: TOKEN }] });
      const oada = server.client();
      const wire = new InProcess(server.client());
      const rates = await byTurns(ROUNDS, async (prefix) => ({
        service: await drain(oada, total, { concurrency: CONCURRENCY, prefix: `job${prefix}` }),
        bare: await bare(wire, oada, total, { concurrency: CONCURRENCY, prefix: `bare${prefix}` }),
      }));
      tellDrained(figures, 'in process', rates, '≥ 4,000');
    }
  },

  delay: async ({ figures, folder, count }) => {
    figures.section('jobs that do nothing, a round trip to the server taking 20 ms more');
    await using store = await startStore(folder);
    const proxy = await openProxy(store.url);
    const address = { domain: proxy.url, token: TOKEN };
    proxy.delay(10);
    await using socket = await Socket.open(proxy.url, TOKEN);
    const roundTrip = 1 / (await measure(socket, 'GET', 1, count(200)));
    const { rate } = await drain(address, count(1000), { concurrency: CONCURRENCY, prefix: 'far' });
    proxy.close();
    figures.add('a round trip, ms', 1000 * roundTrip);
    figures.add('jobs/s at concurrency 10', rate, undefined, 0);
    // A job has its slot while it is claimed and ended; it is filed beside those that run in its place.
    figures.add('÷ 10 ÷ (2 round trips)', rate / (CONCURRENCY / (2 * roundTrip)));
    // All that follow one another in a job's life: claim, end, list of the day, pending list.
    figures.add('÷ 10 ÷ (4 round trips)', rate / (CONCURRENCY / (4 * roundTrip)), '≥ 0.9');
  },

  latency: async ({ figures, folder, count }) => {
    figures.section('from posting to work, one job at a time, over a socket, ms');
    const { p50, p99 } = await postingToWork(folder, count(2000));
    figures.add('median', p50, '≤ 2');
    figures.add('99 of 100', p99, '≤ 10');
  },

  backlog: async ({ figures, folder, count }) => {
    figures.section('100,000 pending jobs, over a socket');
    const measured = count(3000, 200);
    const small = await withBacklog(`${folder}-1`, count(1000) + measured, measured);
    const large = await withBacklog(`${folder}-2`, count(100_000), measured);
    figures.add('jobs/s ÷ those with 1,000', large.rate / small.rate, '≥ 0.9');
    figures.add('from start() to the first job, s', large.first / 1000, '≤ 2');
    figures.add('heap of the service, MB', large.heap / 1e6, '≤ 150', 0);
  },

  idle: async ({ figures, folder, count }) => {
    figures.section('a service of 100 queues in which nothing happens');
    const { cpu, requestsPerMinute } = await idle(folder, 100, count(60));
    figures.add('CPU, % of a core', 100 * cpu, '≤ 1');
    figures.add('requests per minute and queue', requestsPerMinute / 101, undefined, 1);
  },

  instances: async ({ figures, folder, count }) => {
    figures.section('work of 20 ms, concurrency 10 each, over sockets');
    await using store = await startStore(folder);
    const total = count(12_000, 900);
    const one = await share(store.url, 1, { total: total / 3, work: 20, prefix: 'one' });
    const three = await share(store.url, 3, { total, work: 20, prefix: 'three' });
    figures.add('jobs/s of one instance', one.rate, undefined, 0);
    figures.add('of three ÷ of one', three.rate / one.rate, '≥ 2.7');
    figures.add('claims that came too late, %', 100 * three.wasted, '≤ 10', 1);
  },

  updates: async ({ figures, folder }) => {
    figures.section('1,000 calls of log.info in one job');
    const { writes, inOrder } = await updates(folder, 1000);
    figures.add('writes of the document', writes, '≤ 20', 0);
    figures.add('in the order of the calls (1: yes)', inOrder ? 1 : 0, '≥ 1', 0);
  },

  imports: async ({ figures, count }) => {
    figures.section('import');
    const [own = 0, client = 0] = importTimes(['@oada/jobs', '@oada/client'], count(40));
    figures.add('@oada/jobs, ms', own, undefined, 0);
    figures.add('@oada/jobs ÷ @oada/client', own / client, '≤ 1.2');
  },

  dashboard: async ({ figures, folder, count }) => {
    const [finished, pending] = [count(100_000), count(5000)];
    figures.section(`dashboard, ${String(finished)} jobs finished today, ${String(pending)} pending`);
    const view = await firstView(folder, finished, pending);
    figures.add('the counts, ms', view.counts, '≤ 1,000', 0);
    figures.add("with today's, ms", view.today, '≤ 1,000', 0);
    figures.add('fifty finished jobs, ms', view.page, '≤ 1,000', 0);
    figures.add('the last hour, ms', view.throughput, '≤ 1,000', 0);
    figures.add('the fifty again, ms', view.again, undefined, 0);
    figures.add('heap of the dashboard, MB', view.heap / 1e6, undefined, 0);
  },

  schedules: async ({ figures, count }) => {
    for (const size of [count(1000), count(10_000)]) {
      figures.section(`${String(size)} schedules, 10 of which are due each hour`);
      const costs = await scheduleCosts(size);
      figures.add('first start, s', costs.firstStart / 1000, undefined, 1);
      figures.add('restart, s', costs.restart / 1000, undefined, 1);
      figures.add('heap, MB', costs.heap / 1e6, undefined, 0);
      figures.add('requests in an idle hour', costs.perIdleHour, undefined, 0);
      figures.add('requests per occurrence', costs.perOccurrence, undefined, 1);
      figures.add('half an hour with 10 due, ms', costs.hour, undefined, 0);
      figures.add('a change of the controls, ms', costs.change, undefined, 0);
    }
  },
};

interface Pair {
  readonly service: Drained;
  readonly bare: number;
}

/** By turns, so that a slow moment of the machine falls on both; the first turn warms up. */
async function byTurns(rounds: number, measured: (prefix: string) => Promise<Pair>): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round <= rounds; round++) pairs.push(await measured(String(round)));
  return pairs.slice(1);
}

function tellDrained(figures: Figures, way: string, pairs: readonly Pair[], goal: string): void {
  const middle = (values: readonly number[]): number =>
    values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
  const { get, put, delete: removed } = pairs[0]?.service.requests ?? { get: 0, put: 0, delete: 0 };
  figures.add(`${way}: jobs/s`, middle(pairs.map(({ service }) => service.rate)), goal, 0);
  figures.add(
    `${way}: ÷ the same requests alone`,
    middle(pairs.map(({ service, bare: alone }) => service.rate / alone)),
    '≥ 0.85',
  );
  figures.add(`${way}: requests per job`, get + put + removed, '≤ 4.3');
  figures.add(`${way}: PUTs among them`, put);
}
