import type { OADAClient } from '@oada/client';
import { onTestFinished } from 'vitest';

import { systemClock } from '../../lib/clock.js';
import { StoreError } from '../../lib/errors.js';
import { Events } from '../../lib/events.js';
import { openStore } from '../../lib/oada/store.js';
import type { Store } from '../../lib/oada/store.js';
import { pathsOf } from '../../lib/paths.js';
import { resolveEach } from '../../lib/schedule/item-options.js';
import type { EachOptions } from '../../lib/schedule/item-options.js';
import { ItemSchedules } from '../../lib/schedule/items.js';
import { Schedules } from '../../lib/schedule/operations.js';
import { resolveSchedule } from '../../lib/schedule/options.js';
import type { ScheduleOptions } from '../../lib/schedule/options.js';
import { Scheduler } from '../../lib/schedule/scheduler.js';
import { parseSwitches, viewOf } from '../../lib/schedule/switches.js';
import { IdleClock } from '../idle-clock.js';
import { around } from '../observed-store.js';
import type { Around, Requested } from '../observed-store.js';
import { EVENT_NAMES, keysOf, NAME, read, startServer, TOKEN } from '../setup.js';
import type { Stored, Told } from '../setup.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const PATHS = pathsOf(NAME);
const PENDING = PATHS.nested.pending;

/** How long a schedule's own function may take; nothing of the store's is waited for with such a timer. */
const FUNCTION_LIMIT = 30_000;

/** Time goes on when nothing is being asked of the store. */
class FarmClock extends IdleClock {
  override setTimer(callback: () => void, milliseconds: number): () => void {
    if (milliseconds === FUNCTION_LIMIT) return () => undefined;
    return super.setTimer(callback, milliseconds);
  }
}

export interface Instance {
  readonly scheduler: Scheduler;
  readonly events: Events;
  readonly told: Told[];
  readonly requested: Requested[];
  stop(): Promise<void>;
  /** Nothing that it asks for is done any more. */
  kill(): void;
}

export interface Run {
  readonly schedule: string;
  readonly occurrence: string;
  readonly jobId: string;
  readonly config: Stored;
  readonly startedBy: Stored;
}

/** The request of an instance that is its last; with `until`, it is held up that long instead, and goes on. */
export interface LastRequest {
  readonly count: number;
  /** Whether the store does it before that. */
  readonly isDone: boolean;
  readonly until?: Promise<void>;
}

/** A store with a service's schedules, the instances that run them, and somebody who does the jobs. */
export class Farm {
  readonly clock: FarmClock = new FarmClock(() => this.#inFlight === 0);
  readonly oada: OADAClient;
  readonly schedules: Schedules;
  readonly runs: Run[] = [];
  readonly instances = new Set<Instance>();
  readonly cancelled: string[] = [];
  /** How long the history is kept. */
  historyAge = Infinity;
  readonly #checkInterval: number;
  #inFlight = 0;

  private constructor(oada: OADAClient, checkInterval: number) {
    this.oada = oada;
    this.#checkInterval = checkInterval;
    const store = openStore(oada, { clock: systemClock, timeout: 10_000, onRequest: () => undefined });
    this.schedules = new Schedules({ store, paths: PATHS, clock: this.clock });
  }

  static async start(checkInterval: number = 10 * MINUTE): Promise<Farm> {
    const server = await startServer();
    const farm = new Farm(server.client(TOKEN), checkInterval);
    return farm;
  }

  /** @param dieAt the request that is its last, or that is held up */
  async add(
    declared: Readonly<Record<string, ScheduleOptions>>,
    dieAt: LastRequest = { count: Infinity, isDone: true },
    each: Readonly<Record<string, EachOptions>> = {},
  ): Promise<Instance> {
    const events = new Events();
    const told: Told[] = [];
    for (const name of EVENT_NAMES) events.on(name, (event) => told.push({ name, event }));
    const requested: Instance['requested'] = [];
    const dead = new AbortController();
    const real = openStore(this.oada, { clock: systemClock, timeout: 10_000, onRequest: () => undefined });
    const store = this.#observed(real, async (request, send) => {
      requested.push(request);
      const isLast = requested.length === dieAt.count;
      if (dieAt.until !== undefined) {
        if (isLast && !dieAt.isDone) await this.#heldUp(dieAt.until);
        const answer = await send();
        if (isLast && dieAt.isDone) await this.#heldUp(dieAt.until);
        return answer;
      }
      if (requested.length >= dieAt.count) void scheduler.stop(); // the dead have no timers
      if (dead.signal.aborted || requested.length > dieAt.count || (isLast && !dieAt.isDone))
        return await never();
      const result = await send();
      return isLast || isAborted(dead.signal) ? await never() : result;
    });
    const scheduler = new Scheduler({
      ...{ service: NAME, store, paths: PATHS, clock: this.clock, events, layout: 'nested' },
      redact: (text) => text.replaceAll(TOKEN, '[token]'),
      historyAge: this.historyAge,
      checkInterval: this.#checkInterval,
      cancel: async (key) => {
        this.cancelled.push(key);
        await Promise.resolve();
      },
    });
    const kill = (): void => {
      dead.abort();
      this.instances.delete(instance);
    };
    const items = Object.entries(each).map(
      ([name, options]) =>
        new ItemSchedules(resolveEach(name, options), {
          ...{ store, clock: this.clock, events, checkInterval: 10 * MINUTE, scheduler },
          isTaken: (key) => key in declared,
        }),
    );
    const stop = async (): Promise<void> => {
      this.instances.delete(instance);
      await Promise.all(items.map((one) => one.stop()));
      const over = new AbortController();
      const stopped = scheduler.stop().finally(() => {
        over.abort();
      });
      await this.clock.idle();
      // What was lost to another instance is tried again after some milliseconds.
      while (!isAborted(over.signal)) await this.clock.advance(20);
      await stopped;
    };
    const instance: Instance = { scheduler, events, told, requested, stop, kill };
    this.instances.add(instance);
    onTestFinished(() => {
      kill();
      for (const one of items) void one.stop();
      void scheduler.stop();
    });
    scheduler.see(viewOf(parseSwitches(undefined)));
    const schedules = Object.entries(declared).map(([key, options]) => resolveSchedule(key, options));
    const started = scheduler.start(schedules, new Set(Object.keys(each))).then(async () => {
      await Promise.all(items.map((one) => one.start()));
    });
    if (dieAt.count === Infinity) await started;
    else started.catch(() => undefined);
    await this.clock.idle();
    return instance;
  }

  /** Time goes on meanwhile. */
  async #heldUp(until: Promise<void>): Promise<void> {
    this.#inFlight--;
    await until;
    this.#inFlight++;
  }

  #observed(store: Store, hook: Around): Store {
    return around(store, async (request, send) => {
      this.#inFlight++;
      const answer = hook(request, send);
      // What never comes is nothing to wait for.
      void answer.finally(() => this.#inFlight--).catch(() => undefined);
      return await answer;
    });
  }

  /** The jobs that are pending. */
  async pending(): Promise<(Run & { key: string })[]> {
    const list: Stored = await read(this.oada, PENDING).catch(() => ({}));
    return await Promise.all(
      keysOf(list).map(async (key) => {
        const job: Stored = await read(this.oada, `${PENDING}/${key}`);
        const { schedule, occurrence } = job.startedBy;
        return {
          key,
          schedule,
          occurrence,
          jobId: list[key]._id,
          config: job.config,
          startedBy: job.startedBy,
        };
      }),
    );
  }

  /** Does all jobs that are pending, as a queue of one of the instances would. */
  async work(status: 'success' | 'failure' = 'success', isTold = true): Promise<void> {
    await this.clock.idle();
    for (const { key, ...run } of await this.pending()) {
      // One that was put back into the list by an instance that was late is only filed again, as a queue does.
      const { status: before }: Stored = await read(this.oada, `/${run.jobId}`);
      if (before === undefined) this.runs.push(run);
      else {
        await this.oada.delete({ path: `${PENDING}/${key}` });
        continue;
      }
      const time = this.clock.now().toISOString();
      const updates = { a: { status: 'started', time }, b: { status, time } };
      const result = status === 'success' ? 'done' : { message: 'broken' };
      const data = { status, updates, result };
      await this.oada.put({ path: `/${run.jobId}`, data, contentType: 'application/json' });
      await this.oada.delete({ path: `${PENDING}/${key}` });
      if (!isTold) continue;
      const filed = {
        queue: 'default',
        key,
        jobId: run.jobId,
        type: 'plough',
        status,
        failureType: undefined,
      };
      for (const { events } of this.instances) events.emit('job:filed', { ...filed, path: '' });
    }
    await this.clock.idle();
  }

  /** Lets time go on, and has the jobs done that come up. */
  async live(
    milliseconds: number,
    step: number,
    each: () => Promise<void> = () => this.work(),
  ): Promise<void> {
    for (let left = milliseconds; left > 0; left -= step) {
      await this.clock.advance(Math.min(left, step));
      await each();
    }
  }

  /** The occurrences that were run, oldest first. */
  occurrences(schedule: string): string[] {
    return this.runs.filter((run) => run.schedule === schedule).map(({ occurrence }) => occurrence);
  }
}

function never(): Promise<never> {
  return Promise.reject(new StoreError('OADA_JOBS_STORE_REFUSED', 'it is dead', { path: '/' }));
}

/** It may have become so while we waited. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
