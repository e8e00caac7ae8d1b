import { setMaxListeners } from 'node:events';

import type { OADAClient } from '@oada/client';

import { backoff, sleep, systemClock } from './clock.js';
import type { Clock } from './clock.js';
import { toMilliseconds } from './duration.js';
import type { Duration } from './duration.js';
import { JobError, StoreError, WaitTimeoutError } from './errors.js';
import { finalTime, isFinalDocument } from './job.js';
import { isJsonObject } from './json.js';
import type { Json, JsonObject } from './json.js';
import { withStore } from './oada/shared-store.js';
import type { ResourceChange, Store, StoreWatch } from './oada/store.js';
import { checkNames, expected } from './options.js';
import { isResourceId } from './paths.js';

export interface WaitOptions {
  /** Gives up the wait, which rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long to wait at most. @defaultValue Infinity */
  readonly timeout?: Duration;
  /** How often the job's revision is looked at, should a notification get lost. @defaultValue '30s' */
  readonly checkInterval?: Duration;
}

export interface ResolvedWaitOptions {
  readonly signal: AbortSignal | undefined;
  readonly timeout: number;
  readonly checkInterval: number;
}

export const waitDefaults: Readonly<Required<Omit<WaitOptions, 'signal'>>> = Object.freeze({
  timeout: Infinity,
  checkInterval: '30s',
});

/** A job that came to a good end. */
export interface FinishedJob {
  /** Its resource, like `resources/abc`. */
  readonly _id: string;
  readonly service: string;
  readonly type: string;
  readonly status: 'success';
  /** What its work function returned; undefined where it returned nothing. */
  readonly result: Json | undefined;
  /** When it was over; undefined where its document does not say. */
  readonly time: Date | undefined;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 15_000;
/** How late a notification may come before its watch counts as deaf. */
const LATENESS_MS = 1000;
/** How deep a chain of causes is followed. */
const MAX_CAUSES = 5;

/**
 * Waits until a job is over, however long that takes: through lost connections, and while the store is away. A job that
 * nobody takes, or that was deleted from its list, is waited for as well: a `timeout` ends that.
 *
 * @param job what {@link submit} or `postJob` returned, or its id, like `resources/abc`
 * @throws {JobError} the job failed: its message is that of the work's error, its `type` the job's `failureType`, and
 *   its `cause` that error, as far as the job's document tells of it
 * @throws {WaitTimeoutError} it took longer than `timeout`; the job goes on
 * @throws {StoreError} there is no such job (`OADA_JOBS_STORE_NOT_FOUND`), or the token is not allowed to see it
 * @throws {ConfigError}
 */
export async function waitForJob(
  oada: OADAClient,
  job: { readonly _id: string } | string,
  options: WaitOptions = {},
): Promise<FinishedJob> {
  const jobId = idOf(job);
  const resolved = resolveWaitOptions(options);
  return await withStore(oada, (store) => waitOn(store, jobId, resolved, systemClock));
}

/** @internal */
export async function waitOn(
  store: Store,
  jobId: string,
  options: ResolvedWaitOptions,
  clock: Clock,
): Promise<FinishedJob> {
  return finished(jobId, await new Wait(store, jobId, options, clock).over());
}

function idOf(job: unknown): string {
  const id = isJsonObject(job) ? job['_id'] : job;
  if (isResourceId(id)) return id;
  throw expected('job', 'what submit() returned, or an id like resources/abc', id);
}

/** @throws {ConfigError} */
export function resolveWaitOptions(options: WaitOptions): ResolvedWaitOptions {
  checkShape(options);
  checkNames(options, [...Object.keys(waitDefaults), 'signal']);
  const { signal, timeout = waitDefaults.timeout, checkInterval = waitDefaults.checkInterval } = options;
  checkSignal(signal);
  return {
    signal,
    timeout: toMilliseconds(timeout, 'timeout'),
    checkInterval: toMilliseconds(checkInterval, 'checkInterval'),
  };
}

function checkShape(options: unknown): void {
  if (!isJsonObject(options)) throw expected('options', 'an object', options);
}

function checkSignal(signal: unknown): void {
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw expected('signal', 'an AbortSignal', signal);
}

/**
 * Keeps a job in view until it is over. A watch is only a hint: whenever one had to be opened anew, or has missed
 * something, the job's revision is compared with the one that it is known not to be over at.
 */
class Wait {
  readonly #store: Store;
  readonly #jobId: string;
  readonly #path: string;
  readonly #options: ResolvedWaitOptions;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  #watch: StoreWatch | undefined;
  /** Counts those that attended to watches: only the last one does. */
  #turn = 0;
  /** The last revision that the job is known not to be over at. */
  #rev = -1;
  #resolve: (document: JsonObject) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;
  readonly #document = new Promise<JsonObject>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  constructor(store: Store, jobId: string, options: ResolvedWaitOptions, clock: Clock) {
    this.#store = store;
    this.#jobId = jobId;
    this.#path = `/${jobId}`;
    this.#options = options;
    this.#clock = clock;
  }

  /** Resolves with the document of the job that is over, well or not; to be called once. */
  async over(): Promise<JsonObject> {
    const { signal, timeout } = this.#options;
    signal?.throwIfAborted();
    if (signal !== undefined) setMaxListeners(0, signal); // many may wait for as long as it lasts
    const abort = (): void => {
      this.#fail(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    const cancelTimer = this.#clock.setTimer(() => {
      this.#fail(new WaitTimeoutError(this.#jobId, timeout));
    }, timeout);
    void this.#begin();
    try {
      return await this.#document;
    } finally {
      cancelTimer();
      signal?.removeEventListener('abort', abort);
      this.#watch?.stop();
    }
  }

  #isOver(): boolean {
    return this.#over.signal.aborted;
  }

  #fail(reason: unknown): void {
    this.#over.abort();
    this.#reject(reason);
  }

  async #begin(): Promise<void> {
    await this.#tryTo(() => this.#read());
    if (this.#isOver()) return; // as it had been before anybody waited for it
    void this.#attend();
    void this.#check();
  }

  /** What may pass is tried again, sooner or later; everything else ends the wait. */
  async #tryTo(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoreError && error.retryable)) this.#fail(error);
    }
  }

  async #read(): Promise<void> {
    const before = this.#rev;
    const { data, rev } = await this.#store.get(this.#path);
    if (this.#isOver()) return;
    if (isJsonObject(data) && isFinalDocument(data)) {
      this.#over.abort();
      this.#resolve(data);
      return;
    }
    // The header may be older than the body (two reads on the reference server): the body's own word counts.
    const bodyRev = isJsonObject(data) ? Number(data['_rev']) : Number.NaN;
    const read = Number.isNaN(bodyRev) ? rev : bodyRev;
    this.#rev = this.#rev === before ? read : Math.max(read, this.#rev); // the watch may have told of more meanwhile
  }

  /** Opens one watch after another, and does what they say, until another one is asked to. */
  async #attend(): Promise<void> {
    const turn = ++this.#turn;
    const isAnothers = (): boolean => this.#isOver() || turn !== this.#turn;
    for (let attempt = 1; !isAnothers(); attempt++) {
      await this.#tryTo(async () => {
        const watch = await this.#store.watch(this.#path);
        if (isAnothers()) {
          watch.stop();
          return;
        }
        this.#watch = watch;
        await this.#look(); // it tells nothing of what was before
        attempt = 1;
        await this.#follow(watch, isAnothers);
      });
      if (isAnothers()) return;
      this.#watch?.stop();
      this.#watch = undefined;
      await sleep(
        this.#clock,
        backoff(this.#clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS),
        this.#over.signal,
      );
    }
  }

  async #follow({ changes }: StoreWatch, isAnothers: () => boolean): Promise<void> {
    const next = changes[Symbol.asyncIterator]();
    for (;;) {
      // However it ends, another one is opened.
      const told = await next.next().catch(() => undefined);
      if (told === undefined || told.done === true || isAnothers()) return;
      if (this.#matters(told.value)) await this.#read();
    }
  }

  /** May the job be over by this change? Most are of its progress. */
  #matters(change: ResourceChange): boolean {
    const own = change.find(({ path }) => path === '');
    const body: unknown = own?.body;
    const rev = isJsonObject(body) ? Number(body['_rev']) : Number.NaN;
    // A deletion, or nothing that we understand; revisions of deletions cannot be relied on either.
    if (own?.type !== 'merge' || !isJsonObject(body) || !(rev > 0)) return true;
    if (isFinalDocument(body)) return true;
    if (rev <= this.#rev) return false; // told twice, or read already
    if (rev > this.#rev + 1) return true; // one is missing, or still to come
    this.#rev = rev;
    return false;
  }

  /** Reads the job, if that may tell something new. */
  async #look(): Promise<void> {
    const { rev } = this.#rev === -1 ? { rev: 0 } : await this.#store.head(this.#path);
    if (rev !== this.#rev && !this.#isOver()) await this.#read();
  }

  /** Compares the job with what is known of it: a watch that has not told of a change, given time, is deaf. */
  async #check(): Promise<void> {
    const { signal } = this.#over;
    const { checkInterval } = this.#options;
    const lateness = Math.min(LATENESS_MS, checkInterval / 2);
    for (;;) {
      await sleep(this.#clock, checkInterval - lateness, signal);
      if (this.#isOver()) return;
      await this.#tryTo(async () => {
        const { rev } = await this.#store.head(this.#path);
        if (rev === this.#rev) return;
        await sleep(this.#clock, lateness, signal);
        if (this.#isOver() || this.#rev >= rev) return; // it was told of meanwhile
        const deaf = this.#watch;
        await this.#read(); // first: there may be no way to watch it at all
        if (this.#isOver() || deaf === undefined || deaf !== this.#watch) return;
        deaf.stop();
        void this.#attend();
      });
    }
  }
}

/** @throws {JobError} the job failed */
function finished(jobId: string, document: JsonObject): FinishedJob {
  if (document['status'] === 'failure') throw failureIn(document);
  const { service, type, result } = document;
  const status = 'success';
  return {
    _id: jobId,
    service: textOf(service),
    type: textOf(type),
    status,
    result,
    time: finalTime(document),
  };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Anybody may have written the record: it is taken for what it is. */
function failureIn({ result, failureType }: JsonObject): JobError {
  const cause = errorIn(result);
  const message = cause.message === '' ? 'The job failed, and its document does not say why.' : cause.message;
  return new JobError(message, { cause, ...(typeof failureType === 'string' && { type: failureType }) });
}

/** The error that a record was made of, as nearly as it tells. */
function errorIn(record: Json | undefined, depth = 0): Error {
  if (!isJsonObject(record)) return new Error(textOf(record));
  const { name, message, stack, code, cause } = record;
  const hasCause = cause !== undefined && cause !== null && depth < MAX_CAUSES;
  const error = new Error(textOf(message), hasCause ? { cause: errorIn(cause, depth + 1) } : undefined);
  if (typeof name === 'string') error.name = name;
  // Our own stack would only show where it was read.
  error.stack = typeof stack === 'string' ? stack : `${error.name}: ${error.message}`;
  return typeof code === 'string' || typeof code === 'number' ? Object.assign(error, { code }) : error;
}
