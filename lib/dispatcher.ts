import { setMaxListeners } from 'node:events';

import { Backlog } from './backlog.js';
import { backoff, sleep } from './clock.js';
import { ignoreStoreError, JobCancelledError, StoreError, toError } from './errors.js';
import type { JobEvent } from './events.js';
import type { OtherInstances, OwnInstance } from './instances.js';
import type { Json } from './json.js';
import { isAddressable, isJobKey, link, linkedId } from './paths.js';
import { readJob } from './reader.js';
import type { Read } from './reader.js';
import { Runner } from './runner.js';
import type { DueJob, FoundJob, RunnerDeps, Settled } from './runner.js';
import type { Slots } from './slots.js';

/** How many documents are read at once. */
const READS = 10;

/** How often a job whose document changes under our hands is read again at once. */
const QUICK_TRIES = 3;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** The longest a timer is set for; then it is looked at again. */
const LONGEST_TIMER_MS = 86_400_000;
/** How soon a job that is linked but empty is looked at again; twice as long each time. */
const EMPTY_WAIT_MS = 50;

/** Where a job of the list stands, as far as this queue knows. */
type State =
  | { readonly kind: 'found' | 'reading' | 'due' | 'held' | 'done'; readonly found: FoundJob }
  /** It is running, and its link was deleted. */
  | { readonly kind: 'gone'; readonly found: FoundJob }
  | { readonly kind: 'delayed'; readonly found: FoundJob; readonly cancelTimer: () => void }
  | { readonly kind: 'running'; readonly found: FoundJob; readonly runner: Runner };

export interface DispatcherDeps extends RunnerDeps {
  readonly slots: Slots;
  readonly own: Pick<OwnInstance, 'holding'>;
  readonly others: Pick<OtherInstances, 'holds' | 'forget'>;
  /** Reads the pending list again. */
  refresh(): Promise<void>;
  /** A request to cancel the job, if there is one, is dealt with. */
  settleRequest(key: string): Promise<void>;
}

/**
 * Knows where each job of a pending list stands: found, read, due, delayed, held by another instance, running. Has jobs
 * read ahead of their turn, so that priority counts, and run as far as there are slots.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  /** All keys of the list. */
  readonly #states = new Map<string, State>();
  /** Those that are still to be read, first come, first served. */
  readonly #unread = new Map<string, FoundJob>();
  readonly #backlog = new Backlog<DueJob>();
  readonly #working = new Set<Promise<void>>();
  /** The running jobs, by their resources: more than one link may lead to a job. */
  readonly #busy = new Set<string>();
  /** Keys that were linked anew while the job before was running. */
  readonly #linkedAnew = new Set<string>();
  readonly #stopping = new AbortController();
  #reads = 0;
  /** At first: what is asked of the jobs has to be known before one begins. */
  #paused = true;

  constructor(deps: Omit<DispatcherDeps, 'isRelinked'>) {
    this.#deps = { ...deps, isRelinked: (key) => this.#linkedAnew.has(key) };
    setMaxListeners(0, this.#stopping.signal); // each job that waits for another try listens
  }

  /** Begins nothing more. */
  stop(): void {
    this.#stopping.abort();
    this.#deps.slots.forget(this.#goOn);
    for (const state of this.#states.values()) if (state.kind === 'delayed') state.cancelTimer();
  }

  /** Resolves when nothing is running. */
  async finished(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#goOn();
  }

  listed(entries: ReadonlyMap<string, Json>): void {
    for (const key of this.#states.keys()) if (!entries.has(key)) this.removed(key);
    for (const [key, entry] of entries) {
      const state = this.#states.get(key);
      if (state === undefined) this.#add(key, entry);
      else if (state.kind === 'gone' || linkedId(entry) !== state.found.jobId) this.#relinked(state, entry);
    }
    this.#goOn();
  }

  /** What was written may be a part of the entry only, as when the revision of a versioned link goes up. */
  changed(key: string, written: Json): void {
    const state = this.#states.get(key);
    const jobId = linkedId(written);
    if (state === undefined) {
      if (jobId === undefined) this.#background(this.#deps.refresh());
      else this.#add(key, written);
    } else if (jobId !== undefined && (state.kind === 'gone' || jobId !== state.found.jobId)) {
      this.#relinked(state, written);
    } else if (state.kind === 'held' || state.kind === 'delayed') {
      this.#again(state.found); // its instance let go of it, or its document changed
    }
    this.#goOn();
  }

  /** The key leads to another job now. One that runs is let run; the other has its turn then. */
  #relinked({ kind, found }: State, entry: Json): void {
    const { key } = found;
    if (kind === 'running' || kind === 'gone') {
      this.#linkedAnew.add(key);
      return;
    }
    this.removed(key);
    this.#add(key, entry);
  }

  removed(key: string): void {
    const state = this.#states.get(key);
    if (state === undefined || state.kind === 'gone') return;
    if (state.kind === 'running') {
      this.#states.set(key, { kind: 'gone', found: state.found });
      state.runner.cancel(new JobCancelledError('its link in the pending list was deleted'));
      return;
    }
    if (state.kind === 'delayed') state.cancelTimer();
    this.#drop(key);
  }

  #drop(key: string): void {
    this.#states.delete(key);
    this.#unread.delete(key);
    this.#backlog.remove(key);
    this.#deps.others.forget(key);
    this.#background(this.#deps.settleRequest(key));
  }

  cancelled(key: string): void {
    const state = this.#states.get(key);
    if (state?.kind === 'running') state.runner.cancel(new JobCancelledError());
    else if (state?.kind === 'delayed' || state?.kind === 'held') this.#again(state.found);
    else if (state === undefined) this.#background(this.#settleUnlisted(key));
    else if (state.kind === 'done') this.#background(this.#deps.settleRequest(key));
    this.#goOn();
  }

  /** The job is gone, or has not been heard of yet: the list tells. */
  async #settleUnlisted(key: string): Promise<void> {
    await this.#deps.refresh();
    if (!this.#states.has(key)) await this.#deps.settleRequest(key);
  }

  /** The instance is dead; these are the jobs it had. They have had their turn, and come before those that wait. */
  takeOver(instance: string, keys: readonly string[]): void {
    const waiting = [...this.#unread];
    this.#unread.clear();
    for (const key of keys) {
      const state = this.#states.get(key);
      if (state?.kind === 'held') this.#again({ ...state.found, dead: instance });
    }
    for (const [key, found] of waiting) this.#unread.set(key, found);
    this.#goOn();
  }

  #add(key: string, entry: Json): void {
    if (!isJobKey(key) || this.#isStopping) return;
    const since = this.#deps.clock.monotonic();
    const found = { key, entry, jobId: linkedId(entry), tries: 1, since, dead: undefined };
    this.#deps.events.emit('job:found', this.#eventOf(found));
    this.#again(found);
  }

  #eventOf({ key, jobId = '' }: FoundJob): JobEvent {
    return { queue: this.#deps.queue, key, jobId };
  }

  /** Has the job read, whatever was known of it. */
  #again(found: FoundJob): void {
    const state = this.#states.get(found.key);
    if (state?.kind === 'delayed') state.cancelTimer();
    this.#deps.others.forget(found.key);
    this.#states.set(found.key, { kind: 'found', found });
    this.#unread.set(found.key, found);
  }

  /** Reads and begins what is waiting, as far as there is room. */
  readonly #goOn = (): void => {
    if (this.#isStopping || this.#paused) return;
    const { slots } = this.#deps;
    for (const found of this.#unread.values()) {
      if (this.#reads >= READS || this.#backlog.hasEnough((type) => slots.isFull(type))) break;
      this.#unread.delete(found.key);
      this.#work(() => this.#read(found));
    }
    while (this.#backlog.size > 0) {
      const due = slots.areTaken ? undefined : this.#backlog.take((type) => slots.mayRun(type));
      if (due === undefined) {
        slots.whenFree(this.#goOn);
        return;
      }
      slots.take(due.type);
      this.#work(() => this.#run(due));
    }
  };

  #work(work: () => Promise<void>): void {
    const working = work().finally(() => {
      this.#working.delete(working);
      this.#goOn();
    });
    this.#working.add(working);
  }

  async #read(found: FoundJob): Promise<void> {
    this.#reads++;
    this.#states.set(found.key, { kind: 'reading', found });
    try {
      const read = await readJob(found, this.#deps);
      // It may be gone by now, or have been found again.
      if (this.#states.get(found.key)?.kind === 'reading') this.#sort(found, read);
    } catch (error) {
      if (error instanceof StoreError) await this.#afterAWhile(found);
      else this.#skip(found, `there is a fault in this library: ${toError(error).stack ?? ''}`);
    } finally {
      this.#reads--;
    }
  }

  #skip(found: FoundJob, reason: string): void {
    this.#states.set(found.key, { kind: 'done', found });
    this.#deps.events.emit('job:skipped', { ...this.#eventOf(found), reason });
  }

  #sort(found: FoundJob, read: Read): void {
    const { key } = found;
    switch (read.kind) {
      case 'skipped':
        this.#skip(found, read.reason);
        return;
      case 'empty':
        this.#delay({ ...found, tries: found.tries + 1 }, EMPTY_WAIT_MS * 2 ** (found.tries - 1));
        return;
      case 'held':
        this.#states.set(key, { kind: 'held', found });
        this.#deps.events.emit('job:held', { ...this.#eventOf(found), instance: read.instance });
        this.#deps.others.holds(read.instance, key);
        return;
      case 'delayed':
        this.#delay({ ...found, dead: undefined }, this.#until(read.until));
        return;
      case 'due':
        this.#states.set(key, { kind: 'due', found });
        this.#backlog.add(read.due, found.dead !== undefined);
    }
  }

  #until(time: Date): number {
    return time.getTime() - this.#deps.clock.now().getTime();
  }

  /** @param milliseconds after which the job is read again */
  #delay(found: FoundJob, milliseconds: number): void {
    const wait = Math.max(1, Math.min(LONGEST_TIMER_MS, milliseconds));
    const cancelTimer = this.#deps.clock.setTimer(() => {
      this.#again(found);
      this.#goOn();
    }, wait);
    this.#states.set(found.key, { kind: 'delayed', found, cancelTimer });
  }

  async #run(due: DueJob): Promise<void> {
    const { found, key, type } = due;
    const { jobId = '' } = found;
    if (this.#busy.has(jobId)) {
      this.#deps.slots.release(type);
      await this.#afterAWhile(found); // another link to the same job has it running
      return;
    }
    const runner = new Runner(due, this.#deps);
    this.#states.set(key, { kind: 'running', found, runner });
    if (jobId !== '') this.#busy.add(jobId);
    const settled = await this.#deps.own.holding(() => runner.run());
    this.#busy.delete(jobId);
    this.#deps.slots.release(type);
    // Others may have filed it; what is not in the list any more is nobody's to look at again.
    if (settled.kind !== 'filed' && this.#states.get(key)?.kind === 'gone') this.#drop(key);
    else await this.#settle(found, settled);
    if (!this.#linkedAnew.delete(key)) return;
    this.#drop(key);
    this.#background(this.#deps.refresh());
  }

  async #settle(found: FoundJob, settled: Settled): Promise<void> {
    const { key } = found;
    switch (settled.kind) {
      case 'filed':
      case 'skipped':
        await this.#deps.settleRequest(key).catch(ignoreStoreError);
        // What cannot be removed from the list, or is not ours to, is not looked at again.
        if (settled.kind === 'filed' && isAddressable(key)) this.#states.delete(key);
        else this.#states.set(key, { kind: 'done', found });
        return;
      case 'changed':
        if (found.tries > QUICK_TRIES) await this.#afterAWhile({ ...found, dead: undefined });
        else this.#again({ ...found, tries: found.tries + 1, dead: undefined });
        return;
      case 'delayed':
        if (this.#deps.isCancelled(key)) this.#again({ ...found, dead: undefined });
        else this.#delay({ ...found, dead: undefined }, this.#until(settled.until));
        return;
      case 'interrupted':
        // Others hear of it by the change of the list.
        await this.#deps.store
          .put(this.#deps.paths.classic.pending, { [key]: link(found.jobId ?? '') })
          .catch(ignoreStoreError);
        return;
      case 'unsettled':
        await this.#afterAWhile(found);
    }
  }

  async #afterAWhile(found: FoundJob): Promise<void> {
    const { clock } = this.#deps;
    if (!this.#states.has(found.key)) return;
    const state: State = { kind: 'found', found };
    this.#states.set(found.key, state);
    await sleep(clock, backoff(clock, found.tries, FIRST_WAIT_MS, LONGEST_WAIT_MS), this.#stopping.signal);
    // Or it is gone by now, or was found again.
    // An instance that was dead may be back by then, and have it.
    if (this.#states.get(found.key) === state)
      this.#again({ ...found, tries: found.tries + 1, dead: undefined });
  }

  /** For what the next check makes good. */
  #background(work: Promise<void>): void {
    work.catch(ignoreStoreError);
  }
}
