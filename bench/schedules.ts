import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { OADAServer } from '@oada/jobs/server';

import { systemClock } from '../lib/clock.js';
import { Events } from '../lib/events.js';
import { openStore } from '../lib/oada/store.js';
import { pathsOf } from '../lib/paths.js';
import { resolveSchedule } from '../lib/schedule/options.js';
import { Scheduler } from '../lib/schedule/scheduler.js';
import { parseSwitches, viewOf } from '../lib/schedule/switches.js';
import { FakeClock } from '../test/fake-clock.js';
import { TOKEN } from './store.js';

const SERVICE = 'bench';
const PATHS = pathsOf(SERVICE);
const HOUR = 3_600_000;
/** So many of them are due each hour, the others not within a day. */
const HOURLY = 10;
const contentType = 'application/json';
const VIEW = viewOf(parseSwitches(undefined));

/** What schedules cost: all of them together while nothing is due, and an occurrence. */
export interface ScheduleCosts {
  readonly firstStart: number;
  readonly restart: number;
  /** Of all of them, in bytes. */
  readonly heap: number;
  readonly perIdleHour: number;
  readonly perOccurrence: number;
  /** Milliseconds of an hour in which a few are due. */
  readonly hour: number;
  /** Milliseconds that a change of the controls takes. */
  readonly change: number;
}

type Request = (...args: unknown[]) => Promise<unknown>;

/** One instance on a server in memory, with a clock that need not be waited for. */
class Instance {
  readonly clock: FakeClock = new FakeClock();
  readonly events: Events = new Events();
  readonly scheduler: Scheduler;
  requests = 0;
  #inFlight = 0;

  constructor(server: OADAServer) {
    const onRequest = (): void => {
      this.requests++;
    };
    const store = openStore(server.client(TOKEN), { clock: systemClock, timeout: 60_000, onRequest });
    const counted = new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? this.#counting((value as Request).bind(target)) : value;
      },
    });
    this.scheduler = new Scheduler({
      ...{ service: SERVICE, store: counted, paths: PATHS, clock: this.clock, events: this.events },
      ...{
        layout: 'nested',
        redact: (text: string) => text,
        historyAge: Infinity,
        checkInterval: 30_000,
        cancel: () => Promise.resolve(),
      },
    });
    this.scheduler.see(VIEW);
  }

  #counting(send: Request): Request {
    return async (...args) => {
      this.#inFlight++;
      try {
        return await send(...args);
      } finally {
        this.#inFlight--;
      }
    };
  }

  async idle(): Promise<void> {
    for (let still = 0; still < 4; still++) {
      await setImmediate();
      if (this.#inFlight > 0) still = -1;
    }
  }

  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0;) {
      await this.idle();
      const step = Math.min(left, this.clock.untilNext ?? left);
      await this.clock.advance(step);
      left -= step;
    }
    await this.idle();
  }
}

/** @param total how many schedules there are */
export async function scheduleCosts(total: number): Promise<ScheduleCosts> {
  await using server = await OADAServer.start({ tokens: [{ token: TOKEN }] });
  const declared = Array.from({ length: total }, (_, index) =>
    resolveSchedule(`s${String(index)}`, {
      type: 'nothing',
      // On the clock of the bench it is the start of 2024: what comes once in years is not due.
      ...(index < HOURLY ? { every: '1h' } : { cron: `${String(index % 60)} 7 1 6 *` }),
    }),
  );
  const first = new Instance(server);
  const firstStart = await timed(() => first.scheduler.start(declared));
  await first.idle();
  await first.scheduler.stop();

  const before = heapUsed();
  const instance = new Instance(server);
  const restart = await timed(() => instance.scheduler.start(declared));
  await instance.idle();
  const heap = heapUsed() - before;
  const idle = await counted(instance, () => instance.pass(HOUR / 2));
  const hour = await timed(() => instance.pass(HOUR / 2));
  const busy = await counted(instance, () => finishJobs(server, instance));
  const busyHour = await counted(instance, async () => {
    await instance.pass(HOUR);
    await finishJobs(server, instance);
  });
  const change = await timed(async () => {
    instance.scheduler.see(VIEW);
    await instance.idle();
  });
  await instance.scheduler.stop();
  const perIdleHour = 2 * idle;
  return {
    ...{ firstStart, restart, heap, perIdleHour, hour, change },
    perOccurrence: busy > 0 ? (busyHour - perIdleHour) / HOURLY : 0,
  };
}

/** As a queue would. */
async function finishJobs(server: OADAServer, instance: Instance): Promise<void> {
  const { events, clock } = instance;
  const oada = server.client(TOKEN);
  const { data } = await oada.get({ path: PATHS.nested.pending });
  const links = Object.entries(data as unknown as Record<string, { _id?: string }>);
  for (const [key, { _id: jobId = '' }] of links.filter(([key]) => !key.startsWith('_'))) {
    const time = clock.now().toISOString();
    const updates = { a: { status: 'started', time }, b: { status: 'success', time } };
    await oada.put({ path: `/${jobId}`, data: { status: 'success', updates }, contentType });
    await oada.delete({ path: `${PATHS.nested.pending}/${key}` });
    const filed = { queue: 'default', key, jobId, type: 'nothing', failureType: undefined, path: '' };
    events.emit('job:filed', { ...filed, status: 'success' });
  }
  await instance.idle();
}

async function counted(instance: Instance, work: () => Promise<void>): Promise<number> {
  const before = instance.requests;
  await work();
  return instance.requests - before;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Without the garbage. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
