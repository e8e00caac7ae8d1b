import type { OADAClient } from '@oada/client';
import debug from 'debug';

import { systemClock } from './clock.js';
import type { Controls } from './controls.js';
import type { Duration } from './duration.js';
import { ConfigError, LifecycleError, UnknownJobTypeError } from './errors.js';
import { Events } from './events.js';
import type { EventSource } from './events.js';
import { isJsonObject } from './json.js';
import type { JsonObject } from './json.js';
import type { StoreAddress } from './oada/address.js';
import { storeUrl } from './oada/address.js';
import { isClient } from './oada/store.js';
import { expected, resolveServiceOptions } from './options.js';
import type { ServiceOptions } from './options.js';
import { isAddressable } from './paths.js';
import { QueueEntries } from './queue-entries.js';
import { Queue } from './queue.js';
import type { QueueDeps } from './queue.js';
import { logTo } from './service-log.js';
import type { ServiceLog } from './service-log.js';
import { Slots } from './slots.js';
import { createWorker } from './worker.js';
import type { Worker, WorkerOptions, WorkFunction } from './worker.js';

const log = debug('oada-jobs:service');

/** A service, all in one object. */
export interface ServiceSettings extends ServiceOptions {
  /** The service's name: its records stand below `/bookmarks/services/<name>`. */
  readonly name: string;
  /**
   * The store and the token to come in with, or a connected client; the client stays connected after `stop()`. Where
   * either says how many requests it makes at once, other than one, so many jobs run at once by default.
   */
  readonly oada: OADAClient | ClientConfig;
  /** More options, where services of @oada/jobs 3 to 5 have them; those that stand beside it count more. */
  readonly opts?: ServiceOptions;
  /** A logger of the process, as pino makes them: it is told what happens, and what work functions log. */
  readonly log?: ServiceLog;
}

/** What `connect` of `@oada/client` takes. Only what is said here is of effect. */
export interface ClientConfig extends StoreAddress {
  readonly concurrency?: number;
  readonly connection?: unknown;
}

/**
 * Takes jobs from queues in OADA stores, has the registered work functions do them, and files them.
 *
 * @throws {ConfigError} from the constructor, `on` and `off`: an argument is wrong
 */
export class Service {
  readonly name: string;
  readonly #source: OADAClient | StoreAddress;
  /** Made when it, or its client, is first asked for. */
  #ownQueue: Queue | undefined;
  readonly #workers = new Map<string, Worker>();
  readonly #events = new Events();
  readonly #deps: QueueDeps;
  #parts: { readonly queue: Queue; readonly entries: QueueEntries } | undefined;
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
    const { name, oada, opts, log: serviceLog, ...rest } = settingsOf(first, second, third, fourth, fifth);
    checkName(name);
    checkSource(oada);
    if (opts !== undefined && !isJsonObject(opts)) throw expected('opts', 'an object', opts);
    const options = { ...concurrencyOf(oada), ...opts, ...rest };
    this.name = name;
    this.#source = oada;
    const resolved = resolveServiceOptions(options, process.env);
    this.#deps = {
      service: name,
      prefersNested: typeof first === 'object',
      workers: this.#workers,
      options: resolved,
      slots: new Slots(resolved.concurrency, (type) => this.#workers.get(type)?.concurrency ?? Infinity),
      clock: systemClock,
      events: this.#events,
      secrets: new Set(),
    };
    if (serviceLog !== undefined) logTo(serviceLog, this.#events, name);
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
   * What is registered for a job type.
   *
   * @throws {UnknownJobTypeError} nothing is
   */
  getWorker(type: string): Worker {
    const worker = this.#workers.get(type);
    if (worker === undefined) throw new UnknownJobTypeError(type, [...this.#workers.keys()]);
    return worker;
  }

  /** The client of the service's own store: the one that was given, or one that is connected when it is first used. */
  getClient(): OADAClient {
    return this.#queue.store.client;
  }

  get #queue(): Queue {
    this.#ownQueue ??= new Queue('default', this.#source, this.#deps);
    return this.#ownQueue;
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
    const queue = this.#queue;
    try {
      await queue.start();
    } catch (error) {
      this.#ownQueue = undefined; // it is of no use any more
      throw error;
    }
    const entries = new QueueEntries(queue.store, this.#deps);
    try {
      await entries.start();
    } catch (error) {
      await queue.stop();
      this.#ownQueue = undefined;
      throw error;
    }
    this.#parts = { queue, entries };
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
    if (this.#parts !== undefined) {
      const { queue, entries } = this.#parts;
      await Promise.all([entries.stop(), queue.stop()]);
    } else await this.#ownQueue?.abandon();
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
    await this.#controlsOf(queue).cancel(key);
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
    const ids = queue === undefined ? this.#queueIds() : [queue];
    await Promise.all(ids.map((id) => this.#controlsOf(id).setPaused(paused)));
  }

  #queueIds(): string[] {
    return ['default', ...(this.#parts?.entries.ids() ?? [])];
  }

  #controlsOf(id: string): Controls {
    if (this.#parts === undefined) throw new LifecycleError('The service is not started.');
    const { queue, entries } = this.#parts;
    const controls = id === 'default' ? queue.controls : entries.get(id)?.controls;
    if (controls !== undefined) return controls;
    throw new LifecycleError(`There is no queue ${JSON.stringify(id)} that is running in this service.`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Each way to call the constructor comes down to the settings of the first. */
function settingsOf(
  first: ServiceSettings | string,
  second: OADAClient | string | undefined,
  third: number | string | undefined,
  fourth: number | ServiceOptions | undefined,
  fifth: ServiceOptions | undefined,
): ServiceSettings {
  if (typeof first !== 'string') {
    checkSettings(first);
    return first;
  }
  const byClient = typeof second === 'object';
  const [concurrency, options] = byClient ? [third, fourth] : [fourth, fifth];
  if (typeof concurrency === 'string' || typeof concurrency === 'object') {
    throw expected('concurrency', 'a whole number from 1', concurrency);
  }
  if (options !== undefined && typeof options !== 'object') throw expected('options', 'an object', options);
  const oada = byClient ? second : { domain: second ?? '', token: typeof third === 'string' ? third : '' };
  return { ...options, ...(concurrency !== undefined && { concurrency }), name: first, oada };
}

function checkSettings(settings: unknown): void {
  if (!isJsonObject(settings))
    throw expected('name', "a service's name, or an object with all settings", settings);
}

function checkSource(oada: unknown): void {
  if (!isJsonObject(oada)) throw expected('oada', 'a client, or a domain and a token', oada);
  if (!isClient(oada)) storeUrl(oada);
}

/** One request at a time is what clients make unless they are told otherwise: it says nothing of jobs. */
function concurrencyOf(oada: OADAClient | ClientConfig): Pick<ServiceOptions, 'concurrency'> {
  const concurrency = isClient(oada) ? oada.getConcurrency() : oada.concurrency;
  return concurrency === undefined || concurrency === 1 ? {} : { concurrency };
}

function checkName(name: string): void {
  if (typeof name === 'string' && isAddressable(name) && !name.includes('/') && !/^\d+$/.test(name)) return;
  throw new ConfigError(
    `expected \`name\` to be a service's name without blanks or slashes, and not only digits, got ${JSON.stringify(name)}`,
  );
}
