import debug from 'debug';

import { backoff, sleep, waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import { LifecycleError, toError } from '../errors.js';
import type { Events } from '../events.js';
import type { JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { redactedError } from '../outcome.js';
import type { Paths } from '../paths.js';
import { begin, close, send } from './closing.js';
import type { ClosingDeps, SentPeriod } from './closing.js';
import type { ResolvedReport } from './options.js';
import { isBelievable, readRecord } from './record.js';
import type { Period, ReportRecord } from './record.js';
import { RowBook } from './row-book.js';
import { rowOf } from './row.js';
import type { Ending, Place } from './row.js';

const log = debug('oada-jobs:report');

export interface ReportDeps {
  /** The service's name. */
  readonly service: string;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly events: Events;
  /** Texts that must not be told: the tokens of all queues. */
  readonly secrets: ReadonlySet<string>;
}

/** What a report has while it runs. */
interface Running {
  readonly closing: ClosingDeps;
  readonly book: RowBook;
  readonly ending: AbortController;
  readonly over: Promise<void>;
}

const HOUR_MS = 3_600_000;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 300_000;
/**
 * Instances look at a period that is over one after the other, within so long, or a tenth of the period where that is
 * shorter: most find that it is closed.
 */
const SPREAD_MS = 2000;
/** So long a period that another instance has closed is left to it to be sent. */
const GRACE_MS = 30_000;
/** How long a stop waits for what is on its way; what is not done by then is done after the next start. */
const LAST_WRITES_MS = 5000;

/**
 * Has a row written for each finished job, and sends them as CSV by e-mail when a period ends. Made by
 * `service.addReport()`; runs while its service does.
 */
export class Report {
  readonly name: string;
  readonly #config: ResolvedReport;
  readonly #deps: ReportDeps;
  #store: Store | undefined;
  #running: Running | undefined;
  #isWanted = true;
  #wake = new AbortController();
  /** One thing after another: to close a period, to send it. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Called when it is known which jobs were there before the report. */
  #onKnown: () => void = () => undefined;
  /** Jobs that were filed since the report was started, until it is known which were there before. */
  #fresh: Set<string> | undefined;
  /** The period that this instance has closed last. */
  #own: string | undefined;
  /** One that another has closed and not sent, and when that was first seen. */
  #others: { readonly id: string; readonly since: number } | undefined;

  /** @internal */
  constructor(config: ResolvedReport, deps: ReportDeps) {
    this.name = config.name;
    this.#config = config;
    this.#deps = deps;
  }

  /** Goes on after {@link Report.stop}. Without a running service, the report starts together with it. */
  start(): void {
    this.#isWanted = true;
    void this.#begin();
  }

  /** Writes no more rows and sends nothing. What is on its way is waited for, for at most five seconds. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#end();
  }

  /**
   * Closes a period now, and sends it: all finished jobs that are in none yet. The next ends when it would have anyway.
   * A period that was not sent yet goes first.
   *
   * @throws {LifecycleError} the report does not run
   * @throws {StoreError} the store failed; it is tried again in the background, for what was closed already
   * @throws {Error} what `email()` threw
   */
  async sendEmail(): Promise<SentPeriod> {
    const running = this.#running;
    if (running === undefined) throw new LifecycleError(`The report ${this.name} does not run.`);
    try {
      return await this.#inTurn(() => this.#closeNow(running.closing));
    } finally {
      this.#wake.abort();
    }
  }

  /**
   * Starts together with its service. Resolves when the report knows which jobs were there before it, or could not find
   * out at once; never rejects.
   *
   * @internal
   */
  async attach(store: Store): Promise<void> {
    this.#store = store;
    if (this.#isWanted) await this.#begin();
  }

  /** @internal */
  async detach(): Promise<void> {
    this.#store = undefined;
    await this.#end();
  }

  /**
   * Is the document of a job that was just filed needed for a row?
   *
   * @internal
   */
  heard(type: string, place: Place, jobId: string): boolean {
    if (this.#running === undefined) return false;
    this.#fresh?.add(nameOf(place));
    // A job that was no proper one has no type here; its document may have.
    if (type === '' || this.#config.types?.has(type) !== false) return true;
    this.#exclude(this.#running, place, jobId);
    return false;
  }

  /**
   * Writes the row of a job, where it is in the report.
   *
   * @internal
   * @throws {StoreError} it could not be stored
   * @throws {LifecycleError} the report does not run
   */
  async record(job: JsonObject, place: Place, ending: Ending, jobId?: string): Promise<void> {
    const running = this.#running;
    if (running === undefined) throw new LifecycleError(`The report ${this.name} does not run.`);
    if (this.#wants(job)) await running.book.add(place, rowOf(this.#config, job, ending));
    else if (jobId !== undefined) this.#exclude(running, place, jobId);
  }

  #exclude({ book }: Running, place: Place, jobId: string): void {
    if (book.exclude(place, jobId)) book.flush().catch(quietly);
  }

  #wants(job: JsonObject): boolean {
    const { type, _id } = job;
    const { types, filter } = this.#config;
    if (types !== undefined && (typeof type !== 'string' || !types.has(type))) return false;
    try {
      return Boolean(filter(job));
    } catch (thrown) {
      const jobId = typeof _id === 'string' ? _id : '';
      this.#deps.events.emit('filter:failed', { report: this.name, jobId, error: this.#redacted(thrown) });
      return true; // one row too many does less harm than one too few
    }
  }

  /** Resolves when the report's record is known, or could not be read at once. */
  async #begin(): Promise<void> {
    const store = this.#store;
    if (store === undefined || this.#running !== undefined) return;
    const { service, paths, clock, events } = this.#deps;
    const book = new RowBook(store, paths, this.name);
    const wants = (job: JsonObject): boolean => this.#wants(job);
    const closing = { service, config: this.#config, store, paths, book, clock, events, wants };
    const ending = new AbortController();
    this.#fresh = new Set();
    await new Promise<void>((resolve) => {
      this.#onKnown = resolve;
      this.#running = { closing, book, ending, over: this.#run(closing, ending.signal) };
    });
  }

  async #end(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.ending.abort();
    this.#wake.abort();
    const { book, over } = running;
    const writes = Promise.all([over, book.settled(), book.flush().catch(quietly)]).then(() => undefined);
    await waitAtMost(this.#deps.clock, LAST_WRITES_MS, writes);
  }

  /** Never rejects. */
  async #run(closing: ClosingDeps, signal: AbortSignal): Promise<void> {
    const { clock, events } = this.#deps;
    let attempt = 0;
    while (!isAborted(signal)) {
      let wait: number;
      try {
        wait = await this.#inTurn(() => this.#step(closing, signal));
        attempt = 0;
      } catch (thrown) {
        wait = backoff(clock, ++attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS);
        const error = this.#redacted(thrown);
        if (!isAborted(signal)) events.emit('report:delayed', { report: this.name, error, retryIn: wait });
      }
      this.#onKnown();
      this.#wake = new AbortController();
      await sleep(clock, wait, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  /**
   * Does what is to be done next.
   *
   * @returns how long to wait then, in ms
   */
  async #step(closing: ClosingDeps, signal: AbortSignal): Promise<number> {
    const { clock } = this.#deps;
    for (;;) {
      if (signal.aborted) return 0;
      await closing.book.flush().catch(quietly);
      const record = await this.#read(closing);
      const { period } = record;
      if (period?.sent === false) {
        const grace = this.#graceEnd(period.id) - clock.monotonic();
        if (grace > 0) return grace;
        await send(period, closing);
        continue;
      }
      const end = this.#dueEnd(record);
      if (end === undefined) return this.#untilNext();
      await this.#close(record, end, closing);
    }
  }

  /** Not all at once where it is long: a machine may sleep meanwhile, and its clock be set. */
  #untilNext(): number {
    const { clock } = this.#deps;
    const { occurrences } = this.#config;
    const now = clock.now().getTime();
    const next = occurrences.after(new Date(now));
    const length = occurrences.after(next).getTime() - next.getTime();
    const spread = clock.random() * Math.min(SPREAD_MS, length / 10);
    const wait = next.getTime() - now + spread;
    return wait > 2 * HOUR_MS ? HOUR_MS : wait; // the last part is not cut off before its spread
  }

  /** The end of the period that is to be closed now; one for all that were missed. */
  #dueEnd({ period }: ReportRecord): Date | undefined {
    if (period === undefined) return undefined;
    const now = this.#deps.clock.now();
    if (period.isFull) return period.end;
    const last = this.#config.occurrences.upTo(now);
    const isOver = last !== undefined && (last > period.end || !isBelievable(period.end, now));
    return isOver ? last : undefined;
  }

  /** When a period that was closed and not sent is to be sent by us: our own at once. */
  #graceEnd(id: string): number {
    if (id === this.#own) return -Infinity;
    if (this.#others?.id !== id) this.#others = { id, since: this.#deps.clock.monotonic() };
    return this.#others.since + GRACE_MS;
  }

  async #close(record: ReportRecord, end: Date, closing: ClosingDeps): Promise<boolean> {
    const id = this.#deps.clock.key();
    this.#own = id; // should the answer get lost, the record tells
    return await close(record, { id, end }, closing);
  }

  async #closeNow(closing: ClosingDeps): Promise<SentPeriod> {
    const { clock } = this.#deps;
    for (;;) {
      const record = await this.#read(closing);
      if (record.period?.sent === false) {
        await send(record.period, closing);
        continue;
      }
      const end = clock.now();
      if (!(await this.#close(record, end, closing))) continue;
      const { period } = await this.#read(closing);
      if (period?.sent === false && period.id === this.#own) return await send(period, closing);
      return { period: end, rows: rowsIn(period), jobId: undefined };
    }
  }

  /** The report's record; that of a new one is begun. */
  async #read({ store, paths, ...closing }: ClosingDeps): Promise<ReportRecord> {
    for (;;) {
      const record = await readRecord(store, paths, this.name);
      if (record.period !== undefined) {
        this.#fresh = undefined;
        this.#onKnown();
        return record;
      }
      await begin(record, (one) => this.#fresh?.has(nameOf(one)) === true, { store, paths, ...closing });
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  #redacted(thrown: unknown): Error {
    return redactedError(toError(thrown), (text) => {
      let redacted = text;
      for (const secret of this.#deps.secrets) {
        if (secret !== '') redacted = redacted.replaceAll(secret, '[token]');
      }
      return redacted;
    });
  }
}

/** Asked anew after each wait. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function rowsIn(period: Period | undefined): number {
  return [...(period?.days.values() ?? [])].reduce((sum, jobs) => sum + jobs.size, 0);
}

function nameOf({ date, key }: Place): string {
  return `${date} ${key}`;
}

/** For what is made good when the period ends; the store has told of it. */
function quietly(error: unknown): void {
  log('%s', toError(error).stack);
}
