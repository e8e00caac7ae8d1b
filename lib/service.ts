import type { OADAClient } from '@oada/client';
import debug from 'debug';

import type { BatchFunction } from './batch/batch-function.js';
import { createBatchWorker } from './batch/batch-worker.js';
import type { BatchOptions } from './batch/batch-worker.js';
import type { Clock } from './clock.js';
import { commandWork } from './command/command-work.js';
import { commandDefaults, splitOptions } from './command/options.js';
import type { CommandOptions } from './command/options.js';
import { threadWork } from './command/thread-work.js';
import type { ThreadOptions } from './command/thread-work.js';
import { toMilliseconds } from './duration.js';
import type { Duration } from './duration.js';
import { LifecycleError, UnknownJobTypeError } from './errors.js';
import { Events } from './events.js';
import type { EventSource } from './events.js';
import type { JsonObject } from './json.js';
import type { MetricsRegistry } from './metrics/registry.js';
import { resolveServiceOptions } from './options.js';
import type { ServiceOptions } from './options.js';
import { ServiceParts } from './parts.js';
import type { ReportOptions } from './report/options.js';
import type { Report } from './report/report.js';
import type { EachOptions } from './schedule/item-options.js';
import type { Schedules } from './schedule/operations.js';
import type { ScheduleOptions } from './schedule/options.js';
import type { Jobs } from './jobs.js';
import type { StatusView } from './status.js';
import { serviceArguments } from './settings.js';
import type { ServiceSettings } from './settings.js';
import { logTo } from './service-log.js';
import { createWorker } from './worker.js';
import type { Worker, WorkerOptions, WorkFunction } from './worker.js';

const log = debug('oada-jobs:service');

/** How long a command that was killed may take to be gone. */
const AFTER_KILL_MS = 1000;

/**
 * Takes jobs from queues in OADA stores, has the registered work functions do them, and files them.
 *
 * @throws {ConfigError} from the constructor, `on` and `off`: an argument is wrong
 */
export class Service {
  readonly name: string;
  readonly #clock: Clock;
  readonly #workers = new Map<string, Worker>();
  readonly #events = new Events();
  readonly #views = new Map<string, StatusView>();
  readonly #parts: ServiceParts;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(settings: ServiceSettings);
  constructor(name: string, oada: OADAClient, concurrency?: number, options?: ServiceOptions);
  constructor(name: string, domain: string, token: string, concurrency?: number, options?: ServiceOptions);
  constructor(
    first: ServiceSettings | string,
    second?: OADAClient | string,
    third?: number | string,
    fourth?: number | ServiceOptions,
    fifth?: ServiceOptions,
  ) {
    const given = serviceArguments(first, second, third, fourth, fifth);
    const { name, oada, options, clock } = given;
    this.name = name;
    this.#clock = clock;
    this.#parts = new ServiceParts({
      ...{ service: name, source: oada, given: options, prefersNested: typeof first === 'object' },
      ...{ workers: this.#workers, views: this.#views, clock, events: this.#events },
      options: resolveServiceOptions(options, process.env),
    });
    if (given.log !== undefined) logTo(given.log, this.#events, name);
  }

  /** What happens in the service, to be listened to. */
  get events(): EventSource {
    return this.#events;
  }

  /**
   * Registers the work function for a job type, in place of the one before.
   *
   * @param options the timeout, in ms or like `'10s'`; or an object with it and more
   */
  on<Config extends object = JsonObject>(
    type: string,
    options: Duration | WorkerOptions,
    work: WorkFunction<Config>,
  ): this {
    this.#workers.set(type, createWorker(type, options, work));
    return this;
  }

  /**
   * Registers a function for a job type, in place of the work before, that does up to `maxSize` jobs in one call. Each
   * job is claimed, logged, cancelled and filed for itself; those of a batch take none of the service's `concurrency`.
   */
  onBatch<C extends object = JsonObject>(type: string, options: BatchOptions, work: BatchFunction<C>): this {
    const { slots } = this.#parts;
    this.#workers.set(type, createBatchWorker(type, options, work, { clock: this.#clock, slots }));
    return this;
  }

  /**
   * Registers a command for a job type, in place of the work before: each job is done by a process. See
   * {@link commandWork}.
   */
  onCommand<Config extends object = JsonObject>(type: string, options: CommandOptions<Config>): this {
    const { worker, settings } = splitOptions(options);
    const killAfter = toMilliseconds(settings.killAfter ?? commandDefaults.killAfter, 'killAfter');
    return this.on(type, { ...worker, grace: killAfter + AFTER_KILL_MS }, commandWork<Config>(settings));
  }

  /**
   * Registers a script for a job type, in place of the work before: each job is done in a thread. See
   * {@link threadWork}.
   */
  onThread(type: string, options: ThreadOptions): this {
    const { worker, settings } = splitOptions(options);
    return this.on(type, worker, threadWork(settings));
  }

  /**
   * What is registered for a job type.
   *
   * @throws {UnknownJobTypeError} nothing is
   */
  getWorker(type: string): Worker {
    const worker = this.#workers.get(type);
    if (worker === undefined) throw new UnknownJobTypeError(type, [...this.#workers.keys()]);
    return worker;
  }

  /**
   * Adds a report: a row for each finished job, sent as CSV by e-mail when a period ends. It runs while the service does.
   *
   * @throws {ConfigError} an option is wrong, or there is a report of that name
   */
  addReport(options: ReportOptions): Report {
    return this.#parts.reports.add(options);
  }

  getReport(name: string): Report | undefined {
    return this.#parts.reports.get(name);
  }

  /**
   * Has jobs submitted again and again, by cron, at an interval or at times of the day; however many instances run, each
   * occurrence once. Starts together with the service. A change of the options takes effect with the next start; what
   * operators have set survives it.
   *
   * @param key its name, a part of paths
   * @throws {ConfigError}
   */
  schedule(key: string, options: ScheduleOptions): this {
    this.#parts.scheduling.declare(key, options);
    return this;
  }

  /**
   * Has a schedule `<name>.<item>` for each item of a list in the store, as items come and go, with one job at a time each.
   * Starts together with the service, and waits for a list that cannot be read yet. @throws {ConfigError}
   */
  scheduleEach<Item extends object = JsonObject>(name: string, options: EachOptions<Item>): this {
    this.#parts.scheduling.declareEach(name, options);
    return this;
  }

  /** The schedules as operators see them, and what they may ask of them. */
  get schedules(): Schedules {
    return this.#parts.schedules;
  }

  /**
   * Registers what people are shown of the jobs of a type: what the view makes of a job's output, and of its children's.
   */
  status(type: string, view: StatusView): this {
    this.#views.set(type, view);
    return this;
  }

  /**
   * The registry that the service's metrics are in: `await service.metrics?.metrics()` is what Prometheus reads. Undefined
   * where the option `metrics` does not ask for any; with `true`, also before `start()`.
   */
  get metrics(): MetricsRegistry | undefined {
    return this.#parts.metrics?.registry;
  }

  /** How jobs are doing, and what their owners may ask of them. */
  get jobs(): Jobs {
    return this.#parts.jobs;
  }

  /** The client of the service's own store: the one that was given, or one that is connected when it is first used. */
  getClient(): OADAClient {
    return this.#parts.client;
  }

  /** Takes the work function of a job type away. Jobs of it that are running go on. */
  off(type: string): this {
    this.#workers.delete(type);
    return this;
  }

  /**
   * Starts to take jobs: those that are there, then each that comes. Resolves when the service's own queue and the
   * list of further queues are watched. Those further queues start by themselves, and harm nobody if they cannot.
   *
   * @throws {StoreError} the store is not there, or does not take the token
   * @throws {LifecycleError} the service was stopped
   */
  start(): Promise<void> {
    if (this.#stopping !== undefined) {
      return Promise.reject(new LifecycleError('This service was stopped. Make a new one to start again.'));
    }
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined; // it may be tried again
      throw error;
    });
    return this.#starting;
  }

  async #start(): Promise<void> {
    await this.#parts.start();
    log('%s: started', this.name);
    this.#events.emit('service:started', { service: this.name });
  }

  /**
   * Takes no more jobs and lets the running ones end. Work that takes longer than `drainTimeout` is aborted; its jobs
   * stay pending. Resolves when all is over. Can be called more than once, and before `start()`.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    await this.#starting?.catch(() => undefined); // whoever started it was told
    await this.#parts.stop();
    log('%s: stopped', this.name);
    this.#events.emit('service:stopped', { service: this.name });
  }

  /**
   * Has a job cancelled, whichever instance has it, running or not: it is filed as a failure of type `cancelled`. Resolves
   * when that is asked for; `job:failed` tells when it is done.
   *
   * @param key of its link in the pending list
   * @param queue the id of the queue it is in
   * @throws {LifecycleError} there is no such queue, or the service is not started
   */
  async cancel(key: string, queue = 'default'): Promise<void> {
    await this.#parts.controlsOf(queue).cancel(key);
  }

  /**
   * Has all instances begin no more jobs of a queue until it is resumed, also after a restart. Running jobs go on.
   *
   * @param queue the id of a queue; all queues that run now where it is left out
   */
  async pause(queue?: string): Promise<void> {
    await this.#setPaused(true, queue);
  }

  /** Takes {@link Service.pause} back. */
  async resume(queue?: string): Promise<void> {
    await this.#setPaused(false, queue);
  }

  async #setPaused(paused: boolean, queue: string | undefined): Promise<void> {
    const ids = queue === undefined ? this.#parts.queueIds : [queue];
    await Promise.all(ids.map((id) => this.#parts.controlsOf(id).setPaused(paused)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
