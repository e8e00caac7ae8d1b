import { Backlog } from './backlog.js';
import { backoff } from './clock.js';
import { depthOf } from './depth.js';
import type { QueueDepth } from './depth.js';
import { ignoreStoreError, StoreError, toError } from './errors.js';
import type { JobEvent } from './events.js';
import { entryId, foundJob, notBefore, withKey } from './found-job.js';
import type { EntryState, FoundJob } from './found-job.js';
import type { OtherInstances, OwnInstance } from './instances.js';
import type { Json } from './json.js';
import { Line } from './line.js';
import { isAddressable, linkedId } from './paths.js';
import type { Layout } from './paths.js';
import { readJob } from './reader.js';
import type { Read } from './reader.js';
import { Runner } from './runner.js';
import type { DueJob } from './due-job.js';
import type { RunnerDeps, Settled } from './runner.js';
import type { SlotLease, Slots } from './slots.js';

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

export interface DispatcherDeps extends RunnerDeps {
  readonly slots: Slots;
  readonly own: Pick<OwnInstance, 'holding'>;
  readonly others: Pick<OtherInstances, 'holds' | 'forget'>;
  /** Reads the pending lists again. */
  refresh(): Promise<void>;
  /** A request to cancel the job, if there is one, is dealt with. */
  settleRequest(key: string): Promise<void>;
}

/**
 * Knows where each job of the pending lists stands: found, read, due, delayed, held by another instance, running. Has jobs
 * read ahead of their turn, so that priority counts, and run as far as there are slots.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  /** All entries of the lists. */
  readonly #states = new Map<string, EntryState>();
  /** Those that are still to be read. */
  readonly #unread: Line<FoundJob>;
  readonly #backlog = new Backlog<DueJob>();
  readonly #working = new Set<Promise<void>>();
  /** The running jobs, by their resources: more than one link may lead to a job. */
  readonly #busy = new Set<string>();
  /** The layouts whose lists have been read. */
  readonly #seen = new Set<Layout>();
  /** Entries that were linked anew while the job before was running. */
  readonly #linkedAnew = new Set<string>();
  #isStopping = false;
  #reads = 0;
  /** At first: what is asked of the jobs has to be known before one begins. */
  #paused = true;
  readonly depth = (): QueueDepth => depthOf(this.#states.values(), this.#deps.clock.now().getTime());

  constructor(deps: Omit<DispatcherDeps, 'isRelinked'>) {
    this.#unread = new Line(deps.clock);
    this.#deps = { ...deps, isRelinked: ({ id }) => this.#linkedAnew.has(id) };
  }

  /** Begins nothing more. */
  stop(): void {
    this.#isStopping = true;
    this.#deps.slots.forget(this.#goOn);
    for (const state of this.#states.values()) if (state.kind === 'delayed') state.cancelTimer();
  }

  /** Resolves when nothing is running. */
  async finished(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    this.#goOn();
  }

  /** The whole list of a layout as it stands. */
  listed(layout: Layout, entries: ReadonlyMap<string, Json>): void {
    for (const { found } of this.#states.values())
      if (found.layout === layout && !entries.has(found.key)) this.removed(layout, found.key);
    const isFirst = !this.#seen.has(layout);
    this.#seen.add(layout);
    for (const [key, entry] of entries) {
      const state = this.#states.get(entryId(layout, key));
      if (state === undefined) this.#add(layout, key, entry, isFirst);
      else if (state.kind === 'gone' || linkedId(entry) !== state.found.jobId) this.#relinked(state, entry);
    }
    this.#goOn();
  }

  /** What was written may be a part of the entry only, as when the revision of a versioned link goes up. */
  changed(layout: Layout, key: string, written: Json): void {
    const state = this.#states.get(entryId(layout, key));
    const jobId = linkedId(written);
    if (state === undefined) {
      if (jobId === undefined) this.#background(this.#deps.refresh());
      else this.#add(layout, key, written);
    } else if (jobId !== undefined && (state.kind === 'gone' || jobId !== state.found.jobId)) {
      this.#relinked(state, written);
    } else if (state.kind === 'held' || state.kind === 'delayed') {
      this.#again(state.found); // its instance let go of it, or its document changed
    }
    this.#goOn();
  }

  /** The key leads to another job now. One that runs is let run; the other has its turn then. */
  #relinked({ kind, found }: EntryState, entry: Json): void {
    if (kind === 'running' || kind === 'gone') {
      this.#linkedAnew.add(found.id);
      return;
    }
    this.removed(found.layout, found.key);
    this.#add(found.layout, found.key, entry);
  }

  removed(layout: Layout, key: string): void {
    const id = entryId(layout, key);
    const state = this.#states.get(id);
    if (state === undefined || state.kind === 'gone') return;
    if (state.kind === 'running') {
      this.#states.set(id, { kind: 'gone', found: state.found, type: state.type, lease: state.lease });
      state.runner.cancel('its link in the pending list was deleted');
      return;
    }
    if (state.kind === 'delayed') state.cancelTimer();
    this.#drop(state.found);
  }

  #drop(found: FoundJob): void {
    this.#states.delete(found.id);
    this.#unread.delete(found.id);
    this.#backlog.remove(found.id);
    this.#deps.others.forget(found.id);
    this.#background(this.#settleRequest(found.key));
  }

  /** A request to cancel is dealt with when no list has such a job any more, but perhaps the one that was filed. */
  async #settleRequest(key: string, filed?: FoundJob): Promise<void> {
    const states = withKey(this.#states, key, this.#deps.paths);
    const isAsked = states.some(({ kind, found }) => kind !== 'done' && found.id !== filed?.id);
    if (!isAsked) await this.#deps.settleRequest(key);
  }

  cancelled(key: string): void {
    const states = withKey(this.#states, key, this.#deps.paths);
    for (const state of states) {
      if (state.kind === 'running') state.runner.cancel();
      else if (state.kind === 'delayed' || state.kind === 'held') this.#again(state.found);
      else if (state.kind === 'done') this.#background(this.#settleRequest(key));
    }
    if (states.length === 0) this.#background(this.#settleUnlisted(key));
    this.#goOn();
  }

  /** The job is gone, or has not been heard of yet: the list tells. */
  async #settleUnlisted(key: string): Promise<void> {
    await this.#deps.refresh();
    await this.#settleRequest(key);
  }

  /** The instance is dead; these are the entries it had. They have had their turn, and come before those that wait. */
  takeOver(instance: string, ids: readonly string[]): void {
    for (const { kind, found } of ids.flatMap((id) => this.#states.get(id) ?? []))
      if (kind === 'held') this.#again({ ...found, dead: instance }, true);
    this.#goOn();
  }

  #add(layout: Layout, key: string, entry: Json, isFirst = false): void {
    if (this.#isStopping) return;
    const found = foundJob(layout, key, entry, this.#deps.clock);
    if (isFirst && this.#deps.options.skipQueueOnStartup) {
      this.#skip(found, 'it was there before the service started');
      return;
    }
    this.#deps.events.emit('job:found', this.#eventOf(found));
    this.#again(found);
  }

  #eventOf({ key, jobId = '' }: FoundJob): JobEvent {
    return { queue: this.#deps.queue, key, jobId };
  }

  /** Has the job read, whatever was known of it. @param isUrgent before those that wait */
  #again(found: FoundJob, isUrgent = false): void {
    const state = this.#states.get(found.id);
    if (state?.kind === 'delayed') state.cancelTimer();
    this.#deps.others.forget(found.id);
    this.#states.set(found.id, { kind: 'found', found });
    if (isUrgent) this.#unread.addUrgent(found);
    else this.#unread.add(found);
  }

  /** Reads and begins what is waiting, as far as there is room. */
  readonly #goOn = (): void => {
    if (this.#isStopping || this.#paused) return;
    const { slots } = this.#deps;
    const isFull = (type: string): boolean => slots.isFull(type);
    while (this.#reads < READS && !this.#backlog.hasEnough(this.#unread.ahead, isFull)) {
      const found = this.#unread.next();
      if (found === undefined) break;
      this.#work(() => this.#read(found));
    }
    while (this.#backlog.size > 0) {
      const due = slots.areTaken ? undefined : this.#backlog.take((type) => slots.mayRun(type));
      if (due === undefined) {
        slots.whenFree(this.#goOn);
        return;
      }
      const lease = slots.take(due.type);
      this.#work(() => this.#run(due, lease));
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
    this.#states.set(found.id, { kind: 'reading', found });
    try {
      const read = await readJob(found, this.#deps);
      // It may be gone by now, or have been found again.
      if (this.#states.get(found.id)?.kind === 'reading') this.#sort(found, read);
    } catch (error) {
      if (error instanceof StoreError) this.#afterAWhile(found);
      else this.#skip(found, `there is a fault in this library: ${toError(error).stack ?? ''}`);
    } finally {
      this.#reads--;
    }
  }

  #skip(found: FoundJob, reason: string): void {
    this.#states.set(found.id, { kind: 'done', found });
    this.#deps.events.emit('job:skipped', { ...this.#eventOf(found), reason });
  }

  #sort(found: FoundJob, read: Read): void {
    switch (read.kind) {
      case 'skipped':
        this.#skip(found, read.reason);
        return;
      case 'empty':
        this.#delay({ ...found, tries: found.tries + 1 }, EMPTY_WAIT_MS * 2 ** (found.tries - 1));
        return;
      case 'held':
        if (found.tries > 1) this.#unread.lost(); // to its claim
        this.#states.set(found.id, { kind: 'held', found });
        this.#deps.events.emit('job:held', { ...this.#eventOf(found), instance: read.instance });
        this.#deps.others.holds(read.instance, found.id);
        return;
      case 'delayed':
        this.#delay(notBefore(found, read.until), this.#until(read.until));
        return;
      case 'due':
        this.#states.set(found.id, { kind: 'due', found: read.due.found });
        this.#backlog.add(read.due, found.dead !== undefined);
    }
  }

  #until(time: Date): number {
    return time.getTime() - this.#deps.clock.now().getTime();
  }

  /** @param milliseconds after which the job is read again */
  #delay(found: FoundJob, milliseconds: number): void {
    if (this.#isStopping) return;
    const wait = Math.max(1, Math.min(LONGEST_TIMER_MS, milliseconds));
    const cancelTimer = this.#deps.clock.setTimer(() => {
      this.#again(found);
      this.#goOn();
    }, wait);
    this.#states.set(found.id, { kind: 'delayed', found, cancelTimer });
  }

  async #run(due: DueJob, lease: SlotLease): Promise<void> {
    const { found, id } = due;
    const { jobId = '' } = found;
    if (this.#busy.has(jobId)) {
      lease.end();
      this.#afterAWhile(found); // another link to the same job has it running
      return;
    }
    const runner = Runner.create(due, lease, this.#deps);
    this.#states.set(id, { kind: 'running', found, type: due.type, lease, runner });
    if (jobId !== '') this.#busy.add(jobId);
    const settled = await this.#deps.own.holding(jobId, lease, () => runner.run());
    this.#busy.delete(jobId);
    lease.end();
    // Others may have filed it; what is not in the list any more is nobody's to look at again.
    if (settled.kind !== 'filed' && this.#states.get(id)?.kind === 'gone') this.#drop(found);
    else await this.#settle(found, settled);
    if (!this.#linkedAnew.delete(id)) return;
    this.#drop(found);
    this.#background(this.#deps.refresh());
  }

  async #settle(found: FoundJob, settled: Settled): Promise<void> {
    const { id, key } = found;
    switch (settled.kind) {
      case 'filed':
      case 'skipped':
        this.#unread.won();
        await this.#settleRequest(key, found).catch(ignoreStoreError);
        // What cannot be removed from the list, or is not ours to, is not looked at again.
        if (settled.kind === 'filed' && isAddressable(key)) this.#states.delete(id);
        else this.#states.set(id, { kind: 'done', found });
        return;
      case 'changed':
        if (found.tries > QUICK_TRIES) this.#afterAWhile(found);
        else this.#again({ ...found, tries: found.tries + 1, dead: undefined }, true); // who has it is to be known
        return;
      case 'delayed':
        if (this.#deps.isCancelled(key)) this.#again({ ...found, dead: undefined });
        else this.#delay(notBefore(found, settled.until), this.#until(settled.until));
        return;
      case 'interrupted':
        return;
      case 'unsettled':
        this.#afterAWhile(found);
    }
  }

  /** By then an instance that was dead may be back, and have it. */
  #afterAWhile(found: FoundJob): void {
    if (!this.#states.has(found.id)) return; // it is gone by now
    const wait = backoff(this.#deps.clock, found.tries, FIRST_WAIT_MS, LONGEST_WAIT_MS);
    this.#delay({ ...found, tries: found.tries + 1, dead: undefined }, wait);
  }

  #background(work: Promise<void>): void {
    work.catch(ignoreStoreError); // the next check makes it good
  }
}
