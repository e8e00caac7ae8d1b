import { cancelChildren } from './child-states.js';
import { Claim } from './claim.js';
import { ignoreStoreError, InvalidResultError, JobCancelledError, StoreError, toError } from './errors.js';
import type { Events, JobEvent, TypedJobEvent } from './events.js';
import { beginningOf, endOf, filedAgain, noLink, objection } from './due-job.js';
import type { DueJob } from './due-job.js';
import { writeEnd } from './ending.js';
import type { LastUpdate } from './ending.js';
import { Family } from './family.js';
import { fileJob } from './filing.js';
import type { FilingDeps, FinalJob } from './filing.js';
import { lastUpdateKey, scheduleOf } from './job.js';
import type { Job } from './job.js';
import type { Listing } from './listing.js';
import { Logger } from './logger.js';
import type { LogLevel } from './logger.js';
import { isJsonObject } from './json.js';
import type { JsonObject } from './json.js';
import type { StoredDocument } from './oada/store.js';
import type { ResolvedServiceOptions } from './options.js';
import { failure, finalRecord, redactedError } from './outcome.js';
import type { FinalOutcome, Outcome } from './outcome.js';
import { JOB_TYPE, link } from './paths.js';
import type { Paths } from './paths.js';
import { perform } from './perform.js';
import { prepare } from './prepare.js';
import type { Work } from './prepare.js';
import { retryDelay } from './retries.js';
import { hideSecrets } from './secrets.js';
import type { SlotLease } from './slots.js';
import { insist } from './storing.js';
import { UpdateWriter } from './update-writer.js';
import type { Update } from './update-writer.js';
import type { Worker } from './worker.js';

export interface RunnerDeps extends FilingDeps {
  readonly queue: string;
  /** Unique to this queue of this process. */
  readonly instance: string;
  readonly paths: Paths;
  readonly workers: ReadonlyMap<string, Worker>;
  readonly options: ResolvedServiceOptions;
  readonly events: Events;
  /** Texts that must not be stored or told: the tokens of all queues. */
  readonly secrets: ReadonlySet<string>;
  readonly listing: Pick<Listing, 'unlisted'>;
  /** Is somebody asking for this job to be cancelled? */
  isCancelled(key: string): boolean;
}

/** What became of a job, as far as this instance is concerned. */
export type Settled =
  | { readonly kind: 'filed' | 'skipped' | 'interrupted' }
  /** It is run again, but not before then. */
  | { readonly kind: 'delayed'; readonly until: Date }
  /** Its document is not what it was when it was read. */
  | { readonly kind: 'changed' }
  /** The store failed; it has to be looked at again. */
  | { readonly kind: 'unsettled' };

/** A run that is over. */
interface Run {
  readonly claim: Claim;
  readonly updates: UpdateWriter;
  readonly job: Job;
  readonly family: Family;
  readonly work: Work;
  /** By the monotonic clock. */
  readonly started: number;
}

/** What was stored as the end of a job. */
interface Finished {
  readonly outcome: FinalOutcome;
  readonly record: Omit<FinalJob, 'resources' | 'owner'>;
}

/** Takes one found job through its life: claimed, run, logged, filed. */
export class Runner {
  readonly #due: DueJob;
  readonly #lease: Pick<SlotLease, 'lent' | 'toFiling'>;
  readonly #deps: RunnerDeps;
  readonly #jobEvent: JobEvent;
  readonly #event: TypedJobEvent;
  readonly #control = new AbortController();
  /** Has the work come to its end? */
  #isDone = false;

  private constructor(due: DueJob, lease: Pick<SlotLease, 'lent' | 'toFiling'>, deps: RunnerDeps) {
    const { found, standing } = due;
    const type = 'job' in standing ? standing.job.type : '';
    this.#due = due;
    this.#lease = lease;
    this.#deps = deps;
    this.#jobEvent = { queue: deps.queue, key: found.key, jobId: found.jobId ?? '' };
    this.#event = { ...this.#jobEvent, type };
  }

  /** @internal */
  static create(due: DueJob, lease: Pick<SlotLease, 'lent' | 'toFiling'>, deps: RunnerDeps): Runner {
    return new Runner(due, lease, deps);
  }

  /** Ends the work, if it has not ended: the job fails as cancelled. @param why see {@link JobCancelledError} */
  cancel(why?: string): void {
    if (!this.#isDone) this.#control.abort(new JobCancelledError(why));
  }

  /** @internal Never rejects. */
  async run(): Promise<Settled> {
    try {
      return await this.#live();
    } catch (error) {
      if (error instanceof StoreError) return { kind: 'unsettled' }; // told by the store already
      return this.#skip(`there is a fault in this library: ${toError(error).stack ?? ''}`);
    }
  }

  /** The life of a job. */
  async #live(): Promise<Settled> {
    const { standing, seen } = this.#due;
    if (standing.kind === 'unlinked' || seen === undefined) return this.#fileEntry();
    if (standing.kind === 'final') return this.#file(filedAgain(standing)); //     a crash came between
    if (standing.kind !== 'ready') return this.#refuse(seen, objection(standing));
    const { job } = standing;
    const from = { key: this.#due.found.key, takenFrom: standing.takenFrom };
    const work = prepare(job, from, this.#deps);
    if (work instanceof Error) return this.#refuse(seen, work, job);
    const updates = this.#updates(seen);
    const claim = await this.#claim(job, seen, standing.takenFrom, updates); // claimed
    if (claim === undefined) return { kind: 'changed' };
    updates.writeTo((updates) => claim.add(updates));
    const started = this.#deps.clock.monotonic();
    const { attempt } = claim.record;
    this.#deps.events.emit('job:started', { ...this.#event, attempt, ...beginningOf(this.#due, this.#deps) });
    const { jobId } = claim;
    const logger = this.#logger(updates);
    const family = this.#family(job, claim, seen);
    const context = { jobId, logger, family, event: this.#event, control: this.#control };
    const outcome = await perform(work, context, this.#deps); //                run
    this.#isDone = true;
    await Promise.all([updates.settled(), family.settled()]); //               logged
    try {
      return await this.#settle(outcome, { job, claim, updates, family, work, started }); //  filed
    } catch (error) {
      if (!(error instanceof StoreError) || error.retryable) throw error;
      // It is run, and to run it again would not make it storable.
      return this.#skip(`what came of it cannot be stored: ${error.message}`);
    }
  }

  /** What becomes of the job after a run. */
  async #settle(outcome: Outcome, run: Run): Promise<Settled> {
    const { job, claim, updates, family, work, started } = run;
    const { attempt } = claim.record;
    if (outcome.kind === 'failure') await family.cancelChildren();
    if (outcome.kind === 'interrupted') return this.#release(claim, updates);
    if (outcome.kind === 'retry') return this.#postpone(run, outcome.delay, attempt - 1);
    if (outcome.kind === 'failure') {
      const delay = retryDelay(outcome.error, attempt, work.retries, this.#deps.clock);
      if (delay !== undefined) return this.#postpone(run, delay, attempt, outcome.error);
    }
    const final = await this.#finish(run, outcome);
    if (final === undefined) return this.#takenOver();
    this.#tell(final.outcome, started);
    return this.#file({ ...final.record, resources: job.resources, owner: job.owner });
  }

  /** Takes the job, and says that it has started, in one write. */
  async #claim(
    job: Job,
    seen: StoredDocument,
    takenFrom: string | undefined,
    updates: UpdateWriter,
  ): Promise<Claim | undefined> {
    const { store, instance } = this.#deps;
    if (takenFrom === instance) return Claim.resume(store, job._id, seen, instance);
    const record = { instance, attempt: job.attempts + 1 };
    const takenOver = takenFrom !== undefined;
    const update = takenOver
      ? updates.take('started', 'Runner started, in place of one that died')
      : updates.take('started', 'Runner started');
    const patch = { status: 'running', ...update, ...(takenOver && { takeovers: job.takeovers + 1 }) };
    return Claim.take(store, { jobId: job._id, seen, record, patch });
  }

  /** Files a job that cannot be run: one write claims it and ends it. */
  async #refuse(seen: StoredDocument, error: Error, job?: Job): Promise<Settled> {
    const { store, instance, events } = this.#deps;
    const { jobId } = this.#event;
    const outcome = failure(error);
    await cancelChildren(seen.data, this.#deps).catch(ignoreStoreError); // of an earlier run
    const patch = { ...this.#record(outcome), ...this.#updates(seen).take('failure', 'Runner finished') };
    if (seen.etag === '') await store.put(`/${jobId}`, patch, { type: JOB_TYPE });
    else {
      const record = { instance, attempt: job?.attempts ?? 0 };
      const claim = await Claim.take(store, { jobId, seen, record, patch });
      if (claim === undefined) return { kind: 'changed' };
    }
    events.emit('job:failed', { ...this.#event, duration: 0, error: redactedError(error, this.#redact) });
    return this.#file({ ...endOf(jobId, patch), resources: job?.resources ?? [], owner: job?.owner });
  }

  /** Files an entry of the list that is no link: what stands there is kept, as a job of its own. */
  async #fileEntry(): Promise<Settled> {
    const { store, clock, events } = this.#deps;
    const jobId = `resources/${clock.key()}`;
    const error = noLink();
    const document = { entry: this.#due.found.entry, ...this.#record(failure(error)) };
    await store.put(`/${jobId}`, document, { type: JOB_TYPE });
    events.emit('job:failed', { ...this.#event, jobId, duration: 0, error });
    const of = { jobId, time: clock.now(), resources: [], owner: undefined };
    return this.#file({ ...endOf(jobId, document), ...of });
  }

  /** Writes status, result and the last updates; what the store refuses to take becomes a failure that says so. */
  async #finish(run: Run, outcome: FinalOutcome): Promise<Finished | undefined> {
    const { job, claim, updates, family } = run;
    // A store merges: what an earlier run left, or a producer has put there, would be mixed into what is written.
    if (isJsonObject(job.result) && !(await insist(() => claim.decide({ result: null }), this.#deps)))
      return undefined;
    const stale = job.failureType === undefined ? {} : { failureType: null };
    const patch = { ...stale, ...this.#record(outcome), ...family.take() };
    try {
      const written = await this.#decide(claim, updates, patch, [outcome.kind, 'Runner finished']);
      return written && { outcome, record: endOf(this.#event.jobId, written) };
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'OADA_JOBS_STORE_REFUSED') throw error;
      // A failure holds little: where even that is refused, there is nothing better to write.
      if (outcome.kind === 'failure') throw error;
      const refused = failure(new InvalidResultError(error.message.replace(/\.$/, '')));
      return await this.#finish(run, refused);
    }
  }

  /** Undefined where the job is no longer ours. */
  #decide(
    claim: Claim,
    updates: UpdateWriter,
    patch: JsonObject,
    last: LastUpdate,
  ): Promise<JsonObject | undefined> {
    const onRefused = (error: StoreError): void => {
      this.#deps.events.emit('log:failed', { ...this.#jobEvent, error });
    };
    return writeEnd(claim, patch, { updates, last, onRefused }, this.#deps);
  }

  #tell(outcome: FinalOutcome, started: number): void {
    const { clock, events } = this.#deps;
    const duration = clock.monotonic() - started;
    if (outcome.kind === 'success') events.emit('job:succeeded', { ...this.#event, duration });
    else {
      const error = redactedError(outcome.error, this.#redact);
      events.emit('job:failed', { ...this.#event, duration, error });
    }
  }

  /** Gives the job back as it was found. */
  async #release(claim: Claim, updates: UpdateWriter): Promise<Settled> {
    const patch = { status: 'queued', claim: null, attempts: claim.record.attempt - 1 };
    const released = await this.#decide(claim, updates, patch, ['interrupted', 'The service stopped']);
    if (released === undefined) return this.#takenOver();
    const { key, layout } = this.#due.found;
    // Others hear of it by the change of the list.
    await this.#deps.store.put(layout.pending, { [key]: link(claim.jobId) }).catch(ignoreStoreError);
    this.#deps.events.emit('job:interrupted', this.#event);
    return { kind: 'interrupted' };
  }

  /** Gives the job back, to be run again after a while. */
  async #postpone(
    { job, claim, updates, family }: Run,
    delay: number,
    attempts: number,
    error?: Error,
  ): Promise<Settled> {
    const { clock, events } = this.#deps;
    const until = new Date(clock.now().getTime() + delay);
    const startAfter = until.toISOString();
    const why = error === undefined ? {} : { error: this.#redact(error.message) };
    // What failed begins anew, and counts anew.
    const rest = error === undefined ? family.take() : { retried: job.retried + 1, progress: null };
    const patch = { status: 'queued', claim: null, attempts, takeovers: 0, startAfter, ...rest };
    const written = await this.#decide(claim, updates, patch, ['retrying', { startAfter, ...why }]);
    if (written === undefined) return this.#takenOver();
    events.emit('job:postponed', { ...this.#event, until, isRetry: error !== undefined });
    return { kind: 'delayed', until };
  }

  async #file(final: FinalJob): Promise<Settled> {
    const { events } = this.#deps;
    const { jobId, status, failureType } = final;
    this.#lease.toFiling();
    const onUnlinked = (resource: string, error: StoreError): void => {
      events.emit('link:failed', { ...this.#jobEvent, resource, error });
    };
    let path: string;
    try {
      path = await fileJob(this.#due.found, final, onUnlinked, this.#deps);
    } catch (error) {
      if (error instanceof StoreError) return { kind: 'unsettled' }; // it is over, and only has to be filed
      throw error;
    }
    const startedBy = scheduleOf(this.#due.seen?.data);
    events.emit('job:filed', { ...this.#event, jobId, status, failureType, path, startedBy });
    return { kind: 'filed' };
  }

  /** What our work has come to is dropped; the job is theirs, for as long as they live. */
  #takenOver(): Settled {
    this.#skip('another instance has taken it over');
    return { kind: 'changed' };
  }

  #skip(reason: string): Settled {
    this.#deps.events.emit('job:skipped', { ...this.#jobEvent, reason: this.#redact(reason) });
    return { kind: 'skipped' };
  }

  #updates(seen: StoredDocument): UpdateWriter {
    const { clock, events } = this.#deps;
    const onError = (error: Error): void => {
      events.emit('log:failed', { ...this.#jobEvent, error });
    };
    return new UpdateWriter({ clock, redact: this.#redact, onError, after: lastUpdateKey(seen.data) });
  }

  #logger(updates: UpdateWriter): Logger {
    const { options, events } = this.#deps;
    const onLog = (level: LogLevel, { status, meta }: Update): void => {
      events.emit('job:logged', { ...this.#event, level, status, meta });
    };
    return Logger.create({ updates, logging: options.logging, onLog });
  }

  #family(job: Job, claim: Claim, { data: document }: StoredDocument): Family {
    const { name: layout } = this.#due.found.layout;
    const of = { job, claim, document, generation: job.retried, layout, lease: this.#lease };
    return new Family({ ...of, redact: this.#redact }, this.#deps);
  }

  #record(outcome: FinalOutcome): JsonObject {
    return finalRecord(outcome, { stacks: this.#deps.options.stacks, redact: this.#redact });
  }

  readonly #redact = (text: string): string => hideSecrets(text, this.#deps.secrets);
}
