import { backoff, sleep } from './clock.js';
import type { Clock } from './clock.js';
import { Claim } from './claim.js';
import type { DayIndex } from './day-index.js';
import { InvalidJobError, InvalidResultError, StoreError, toError, UnknownJobTypeError } from './errors.js';
import type { Events, JobEvent, TypedJobEvent } from './events.js';
import { finalTime, isEmptyDocument, Job } from './job.js';
import { Logger } from './logger.js';
import type { Json, JsonObject } from './json.js';
import type { Store, StoredDocument } from './oada/store.js';
import type { ResolvedServiceOptions } from './options.js';
import { failure, finalRecord, redactedError } from './outcome.js';
import type { Outcome } from './outcome.js';
import { dayOf, isAddressable, JOB_TYPE } from './paths.js';
import type { FinalStatus, Paths } from './paths.js';
import { perform } from './perform.js';
import type { Work } from './perform.js';
import type { Worker } from './worker.js';

/** An entry of the pending list. */
export interface FoundJob {
  readonly key: string;
  /** The resource that it links to; undefined where the entry is no link. */
  readonly jobId: string | undefined;
  /** What stands in the list. */
  readonly entry: Json;
  /** It was there when the service started: whoever ran it then is taken for dead. */
  readonly leftOver: boolean;
  /** How often it has been looked at, this time included. */
  readonly tries: number;
}

export interface RunnerDeps {
  readonly queue: string;
  /** Unique to this queue of this process. */
  readonly instance: string;
  readonly store: Store;
  readonly paths: Paths;
  readonly dayIndex: DayIndex;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly options: ResolvedServiceOptions;
  readonly clock: Clock;
  readonly events: Events;
  /** What no record and no event may show. */
  readonly secrets: ReadonlySet<string>;
  /** Aborted, with the reason, when running work has to end. */
  readonly abort: AbortSignal;
}

/** What became of a job, as far as this instance is concerned; `unsettled`: the store failed, it has to be tried again. */
export type Settled = 'filed' | 'skipped' | 'interrupted' | 'unsettled';

type FinalOutcome = Exclude<Outcome, { kind: 'interrupted' }>;

/** What was stored as the end of a job. */
interface Finished {
  readonly outcome: FinalOutcome;
  readonly time: Date | undefined;
}

const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 30_000;
const EMPTY_WAIT_MS = 50;

/** Takes one found job through its life: found, claimed, run, logged, filed. */
export class Runner {
  readonly #found: FoundJob;
  readonly #deps: RunnerDeps;
  readonly #event: JobEvent;

  constructor(found: FoundJob, deps: RunnerDeps) {
    this.#found = found;
    this.#deps = deps;
    this.#event = { queue: deps.queue, key: found.key, jobId: found.jobId ?? '' };
  }

  /** Never rejects. */
  async run(): Promise<Settled> {
    this.#deps.events.emit('job:found', this.#event);
    try {
      return await this.#live();
    } catch (error) {
      if (error instanceof StoreError) return 'unsettled'; // told by the store already
      return this.#skip(`there is a fault in this library: ${toError(error).stack ?? ''}`);
    }
  }

  /**
   * The life of a job.
   *
   * @param leftOver whoever has claimed it is taken for dead
   */
  async #live(leftOver: boolean = this.#found.leftOver): Promise<Settled> {
    const { jobId } = this.#found;
    if (jobId === undefined) return this.#fileEntry(); //          no link: filed as it stands
    const seen = await this.#read(jobId); //                       found
    if (seen === 'stopping') return 'interrupted';
    if (seen === 'foreign') return this.#skip('it belongs to another user');
    const job = parse(jobId, seen);
    if (job instanceof Error) return this.#refuse(jobId, seen, job); // unrun
    if (!leftOver && this.#isHeld(job)) return this.#skip('another instance has it');
    if (isFinal(job.status)) return this.#file(jobId, job.status, finalTime(seen.data)); // a crash came between
    const work = this.#prepare(job);
    if (work instanceof Error) return this.#refuse(jobId, seen, work);
    const logger = this.#logger();
    const claim = await this.#claim(job, seen, logger); //         claimed
    if (claim === undefined) return this.#live(false); // it was changed meanwhile: look again
    logger.writeTo((updates) => claim.add(updates));
    const started = this.#deps.clock.monotonic();
    const event = { ...this.#event, type: job.type };
    this.#deps.events.emit('job:started', { ...event, attempt: claim.record.attempt });
    const outcome = await perform(work, { jobId, logger, event, ...this.#deps }); // run
    await logger.settled(); //                                     logged
    if (outcome.kind === 'interrupted') return this.#release(claim, logger, event);
    const final = await this.#finish(claim, logger, outcome); //   final
    if (final === undefined) return this.#skip('another instance has taken it over');
    this.#tell(final.outcome, event, started);
    return this.#file(jobId, final.outcome.kind, final.time); //   filed
  }

  /** The job's document; a listed job may still be empty, and is waited for. */
  async #read(jobId: string): Promise<StoredDocument | 'foreign' | 'stopping'> {
    const { store, clock, options, abort } = this.#deps;
    const deadline = clock.monotonic() + options.contentTimeout;
    for (let wait = EMPTY_WAIT_MS; ; wait *= 2) {
      const seen = await store.get(`/${jobId}`).catch(absentOrForeign);
      const left = deadline - clock.monotonic();
      if (seen === 'foreign' || !isEmptyDocument(seen.data) || left <= 0) return seen;
      await sleep(clock, Math.min(wait, left), abort);
      if (abort.aborted) return 'stopping';
    }
  }

  /** What there is to be done, or why nothing can be. */
  #prepare(job: Job): Work | Error {
    const { workers } = this.#deps;
    const worker = workers.get(job.type);
    if (worker === undefined) return new UnknownJobTypeError(job.type, [...workers.keys()]);
    if (!isAddressable(this.#found.key)) return unaddressable(this.#found.key);
    try {
      return { run: worker.prepare(job), timeout: worker.timeout };
    } catch (error) {
      return toError(error);
    }
  }

  /** Another instance runs it, or files it right now. */
  #isHeld({ claim, status }: Job): boolean {
    const isTaken = status === 'running' || isFinal(status);
    return claim !== undefined && isTaken && claim.instance !== this.#deps.instance;
  }

  /** Takes the job, and says that it has started, in one write. */
  async #claim(job: Job, seen: StoredDocument, logger: Logger): Promise<Claim | undefined> {
    const { store, instance } = this.#deps;
    const ours = job.claim?.instance === instance && job.status === 'running';
    if (ours) return Claim.resume(store, job._id, seen, instance);
    const record = { instance, attempt: job.attempts + 1 };
    const patch = { status: 'running', ...logger.take('started', 'Runner started') };
    return Claim.take(store, { jobId: job._id, seen, record, patch });
  }

  /** Files a job that cannot be run: one write claims it and ends it. */
  async #refuse(jobId: string, seen: StoredDocument, error: Error): Promise<Settled> {
    const outcome = failure(error);
    if (outcome.kind !== 'failure') return 'skipped';
    const patch = { ...this.#record(outcome), ...this.#logger().take('failure', 'Runner finished') };
    if (seen.etag === '') await this.#deps.store.put(`/${jobId}`, patch, { type: JOB_TYPE });
    else {
      const record = { instance: this.#deps.instance, attempt: 1 };
      const claim = await Claim.take(this.#deps.store, { jobId, seen, record, patch });
      if (claim === undefined) return 'unsettled'; // it has changed: look again
    }
    this.#deps.events.emit('job:failed', { ...this.#event, type: '', duration: 0, error });
    return this.#file(jobId, 'failure', finalTime(patch));
  }

  /** Files an entry of the list that is no link: what stands there is kept, as a job of its own. */
  async #fileEntry(): Promise<Settled> {
    const { store, clock, events } = this.#deps;
    const jobId = `resources/${clock.key()}`;
    const error = new InvalidJobError(
      'The entry of the pending list is no link to a job: make the job a resource, and link it.',
    );
    const outcome = failure(error);
    if (outcome.kind !== 'failure') return 'skipped';
    await store.put(`/${jobId}`, { entry: this.#found.entry, ...this.#record(outcome) }, { type: JOB_TYPE });
    events.emit('job:failed', { ...this.#event, jobId, type: '', duration: 0, error });
    return this.#file(jobId, 'failure', clock.now());
  }

  /** Writes status, result and the last updates; what the store refuses to take becomes a failure that says so. */
  async #finish(claim: Claim, logger: Logger, outcome: FinalOutcome): Promise<Finished | undefined> {
    const patch = { ...this.#record(outcome), ...logger.take(outcome.kind, 'Runner finished') };
    try {
      if (!(await this.#insist(() => claim.decide(patch)))) return undefined;
      return { outcome, time: finalTime(patch) };
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'OADA_JOBS_STORE_REFUSED') throw error;
      const refused = failure(new InvalidResultError(error.message.replace(/\.$/, '')));
      // A failure holds little: where even that is refused, there is nothing better to write.
      if (refused.kind !== 'failure' || outcome.kind === 'failure') throw error;
      return await this.#finish(claim, logger, refused);
    }
  }

  #tell(outcome: FinalOutcome, event: TypedJobEvent, started: number): void {
    const { clock, events } = this.#deps;
    const duration = clock.monotonic() - started;
    if (outcome.kind === 'success') events.emit('job:succeeded', { ...event, duration });
    else events.emit('job:failed', { ...event, duration, error: redactedError(outcome.error, this.#redact) });
  }

  /** Gives the job back as it was found. */
  async #release(claim: Claim, logger: Logger, event: TypedJobEvent): Promise<Settled> {
    const patch = { status: 'queued', claim: null, attempts: claim.record.attempt - 1 };
    await claim.decide({ ...patch, ...logger.take('interrupted', 'The service stopped') });
    this.#deps.events.emit('job:interrupted', event);
    return 'interrupted';
  }

  /**
   * First the link in the day-index, then the pending link is removed: a crash between the two leaves a job that is
   * pending and final, and whoever finds it files it, under the same day.
   */
  async #file(jobId: string, status: FinalStatus, time: Date | undefined): Promise<Settled> {
    const { store, dayIndex, clock, paths, events } = this.#deps;
    const day = dayOf(time ?? clock.now());
    const { key } = this.#found;
    const named = isAddressable(key) ? key : jobId.slice('resources/'.length);
    await this.#insist(() => dayIndex.add(status, day, named, jobId));
    if (isAddressable(key)) await this.#insist(() => store.delete(paths.pending(key)));
    events.emit('job:filed', { ...this.#event, jobId, status });
    return 'filed';
  }

  #skip(reason: string): Settled {
    this.#deps.events.emit('job:skipped', { ...this.#event, reason: this.#redact(reason) });
    return 'skipped';
  }

  #logger(): Logger {
    const { clock, options, events, queue } = this.#deps;
    const onError = (error: Error): void => {
      events.emit('log:failed', { ...this.#event, queue, error });
    };
    return new Logger({ clock, logging: options.logging, redact: this.#redact, onError });
  }

  #record(outcome: FinalOutcome): JsonObject {
    return finalRecord(outcome, { stacks: this.#deps.options.stacks, redact: this.#redact });
  }

  readonly #redact = (text: string): string => {
    let redacted = text;
    for (const secret of this.#deps.secrets)
      if (secret !== '') redacted = redacted.replaceAll(secret, '[token]');
    return redacted;
  };

  /** The work is done: storing what came of it is tried until it is stored, or the service ends. */
  async #insist<T>(write: () => Promise<T>): Promise<T> {
    const { clock, abort } = this.#deps;
    for (let attempt = 1; ; attempt++) {
      try {
        return await write();
      } catch (error) {
        const passing =
          error instanceof StoreError && (error.retryable || error.code === 'OADA_JOBS_STORE_UNAUTHORIZED');
        if (!passing || abort.aborted) throw error;
        await sleep(clock, backoff(clock, attempt, FIRST_WAIT_MS, LONGEST_WAIT_MS), abort);
      }
    }
  }
}

function parse(jobId: string, seen: StoredDocument): Job | InvalidJobError {
  try {
    if (isEmptyDocument(seen.data))
      throw new InvalidJobError('What the pending link leads to is empty, or not there.');
    return Job.parse(jobId, seen.data);
  } catch (error) {
    if (error instanceof InvalidJobError) return error;
    throw error;
  }
}

function isFinal(status: string | undefined): status is FinalStatus {
  return status === 'success' || status === 'failure';
}

/** A link that leads nowhere: perhaps not yet. */
function absentOrForeign(error: unknown): StoredDocument | 'foreign' {
  if (error instanceof StoreError && error.code === 'OADA_JOBS_STORE_NOT_FOUND')
    return { data: undefined, rev: 0, etag: '' };
  if (error instanceof StoreError && error.code === 'OADA_JOBS_STORE_FORBIDDEN') return 'foreign';
  throw error;
}

function unaddressable(key: string): InvalidJobError {
  return new InvalidJobError(
    `The key of the pending link, ${JSON.stringify(key)}, cannot stand in a path, so the link cannot be removed. ` +
      'Remove it by hand, and link the job under another key.',
  );
}
