import type { OADAClient } from '@oada/client';

import { documentAt } from '../document-at.js';
import { LONGEST_SPAN, toMilliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import { LifecycleError, WaitTimeoutError } from '../errors.js';
import { resolveRequest } from '../job-request.js';
import type { JobRequest } from '../job-request.js';
import { objectOf } from '../json.js';
import { withStore } from '../oada/shared-store.js';
import { detailOf } from '../operator/job-summary.js';
import type { JobDetail } from '../operator/job-summary.js';
import { readPendingEntries, storeReader } from '../operator/lists.js';
import { expected } from '../options.js';
import type { ServiceOptions } from '../options.js';
import { pathsOf } from '../paths.js';
import { submitTo } from '../producer.js';
import { OADAServer } from '../server/server.js';
import { Service } from '../service.js';
import { SkippingClock } from './skipping-clock.js';

/** Those of a service, and what a test may set besides. */
export interface TestServiceOptions extends ServiceOptions {
  /** The service's name. @defaultValue 'test' */
  readonly name?: string;
  /** The time of day that the test begins at. By default what it is. */
  readonly now?: Date;
  /** As in {@link ServiceOptions}. @defaultValue '1h' */
  readonly checkInterval?: Duration;
  /** As in {@link ServiceOptions}. @defaultValue '1s' */
  readonly drainTimeout?: Duration;
}

/** What a job is submitted with, besides its type and config. */
export interface RunOptions extends Omit<JobRequest, 'service' | 'type' | 'config'> {
  /** How long the job may take until it is over, in the time of the test; not `Infinity`. @defaultValue '1d' */
  readonly timeout?: Duration;
}

/** Nothing is lost between a service and a store in one process, and nobody else has its jobs: so it looks after that seldom. */
export const testDefaults: Readonly<
  Required<Pick<TestServiceOptions, 'name' | 'checkInterval' | 'drainTimeout'>>
> = Object.freeze({ name: 'test', checkInterval: '1h', drainTimeout: '1s' });

export const runDefaults: Readonly<Required<Pick<RunOptions, 'timeout'>>> = Object.freeze({ timeout: '1d' });

/**
 * A service with a store of its own in memory, for tests of its work functions and schedules: jobs run as they do in life.
 * Time is the test's: it goes on as ever, and what there is to wait for while nothing goes on can be skipped.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict';
 * import { TestService } from '@oada/jobs/testing';
 *
 * await using test = await TestService.start((service) => {
 *   service.on('hello', '10s', async (job) => ({ greeting: `Hello, ${job.config.name}!` }));
 *   service.schedule('nightly', { type: 'hello', cron: '0 3 * * *', config: { name: 'moon' } });
 * });
 *
 * const job = await test.run('hello', { name: 'world' });
 * assert.equal(job.state, 'success');
 * assert.deepEqual(job.result, { greeting: 'Hello, world!' });
 *
 * const [nightly] = await test.advance('1d');
 * assert.deepEqual(nightly?.result, { greeting: 'Hello, moon!' });
 * ```
 */
export class TestService {
  /** The service, as it is in life: its events, its schedules, `cancel`, `pause`. */
  readonly service: Service;
  /** A client of its store. It may read and write whatever there is. */
  readonly oada: OADAClient;
  readonly #server: OADAServer;
  readonly #clock: SkippingClock;
  /** The jobs that were filed, by their ids, in that order. */
  readonly #filed = new Map<string, Promise<JobDetail>>();
  #stopping: Promise<void> | undefined;

  private constructor(parts: {
    service: Service;
    oada: OADAClient;
    server: OADAServer;
    clock: SkippingClock;
  }) {
    this.service = parts.service;
    this.oada = parts.oada;
    this.#server = parts.server;
    this.#clock = parts.clock;
    this.service.events.on('job:filed', ({ queue, jobId, key }) => {
      if (queue !== 'default') return; // of another store
      const detail = this.#read(jobId, key);
      detail.catch(() => undefined); // whoever asks for it is told
      this.#filed.set(jobId, detail);
    });
  }

  /**
   * Starts a store, and a service in it.
   *
   * @param setup registers what the service does; with `service.getClient()` it can also write what the store is to hold
   * @throws {ConfigError} an option is wrong; and whatever `setup` throws
   */
  static async start(
    setup: (service: Service) => unknown,
    options: TestServiceOptions = {},
  ): Promise<TestService> {
    const { now, ...given } = { ...testDefaults, ...options };
    if (now !== undefined) checkTime(now);
    const clock = new SkippingClock(now);
    const server = await OADAServer.start();
    try {
      const oada = server.client();
      const service = new Service({ ...given, oada, clock });
      const test = new TestService({ service, oada, server, clock });
      await setup(service);
      await service.start();
      return test;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** What time it is in the test. */
  now(): Date {
    return this.#clock.now();
  }

  /**
   * Has the service do a job, and resolves when it is filed, with what has become of it, failures included: `state` is
   * `'success'` or `'failure'`, `error` the message and the type of a failure, `updates` its log. Where the job has to wait,
   * for another try or its children, say, that time is skipped.
   *
   * @param config what the work function finds in `job.config`
   * @throws {ConfigError} something is wrong with the request
   * @throws {WaitTimeoutError} it was not over within `timeout`
   */
  async run(type: string, config: object = {}, options: RunOptions = {}): Promise<JobDetail> {
    this.#check();
    const { timeout = runDefaults.timeout, ...rest } = options;
    const limit = spanOf('timeout', timeout);
    const request = resolveRequest({ ...rest, service: this.service.name, type, config });
    const { _id } = await withStore(this.oada, (store) => submitTo(store, request, this.#clock));
    await this.#clock.skipUntil(() => this.#filed.has(_id), this.#clock.monotonic() + limit);
    const filed = this.#filed.get(_id);
    if (filed === undefined) throw new WaitTimeoutError(_id, limit);
    return await filed;
  }

  /**
   * Lets so much time pass, without waiting for it. What is due meanwhile happens at its time, one thing after another:
   * schedules, tries that were put off, jobs with a `startAfter`. While a job works no time is skipped; a work function that
   * waits for a timer of its own is waited for. One that waits for its children, or for others of its batch, does not work,
   * whatever else it does, or another service does for it, at the same time.
   *
   * @param duration in ms, or like `'1d'`; not `Infinity`
   * @returns the jobs that were filed meanwhile, in that order
   * @throws {ConfigError}
   */
  async advance(duration: Duration): Promise<JobDetail[]> {
    this.#check();
    const before = new Set(this.#filed.keys());
    await this.#clock.skip(spanOf('duration', duration));
    return await Promise.all([...this.#filed].flatMap(([id, detail]) => (before.has(id) ? [] : [detail])));
  }

  /**
   * The jobs in the pending list of a service, in the order of their keys: what work functions have submitted, to this
   * service or to another one, and is not filed yet.
   *
   * @param service its name; that of the service itself by default
   */
  async pending(service: string = this.service.name): Promise<JobDetail[]> {
    this.#check();
    return await withStore(this.oada, async (store) => {
      const deps = { service, store, paths: pathsOf(service), clock: this.#clock };
      const entries = await readPendingEntries(deps, storeReader(deps));
      return await Promise.all(entries.map(({ id, key }) => this.#read(id, key)));
    });
  }

  /** Stops the service, and then the store: all is gone. Can be called more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.service.stop().finally(() => this.#server.stop());
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** What is no job is shown as it is. */
  async #read(id: string, key: string): Promise<JobDetail> {
    const document = await withStore(this.oada, (store) => documentAt(store, `/${id}`));
    return detailOf(id, key, objectOf(document));
  }

  #check(): void {
    if (this.#stopping !== undefined) throw new LifecycleError('This test service was stopped.');
  }
}

function checkTime(now: unknown): void {
  if (!(now instanceof Date) || Number.isNaN(now.getTime())) throw expected('now', 'a date', now);
}

/** Something is always due again, a heartbeat at least: the end of time would never come. */
function spanOf(name: string, duration: Duration): number {
  const span = toMilliseconds(duration, name, LONGEST_SPAN);
  if (span === Infinity) throw expected(name, 'a time that ends', duration);
  return span;
}
