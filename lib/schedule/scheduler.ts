import { backoff } from '../clock.js';
import { assertNever, toError } from '../errors.js';
import type { Paths } from '../paths.js';
import { Agenda } from './agenda.js';
import { doAtOnce } from './at-once.js';
import { Forgetting } from './forgetting.js';
import type { ResolvedTiming } from './definition.js';
import { rememberPassed } from './history.js';
import type { DeclaredSchedule } from './options.js';
import type { ScheduleRow } from './row.js';
import { ScheduleRows } from './rows.js';
import { passOver, settle, startOccurrence } from './runs.js';
import type { RunDeps } from './runs.js';
import { nextStep, timingOf } from './step.js';
import { syncRow } from './sync.js';
import type { Step, View } from './step.js';

export interface SchedulerDeps extends Omit<RunDeps, 'rows'> {
  readonly paths: Paths;
  readonly checkInterval: number;
  /** How long the history is kept, in milliseconds. */
  readonly historyAge: number;
  /** Has a job of the service cancelled. */
  cancel(key: string): Promise<void>;
}

/** How many schedules are attended to at once. */
const AT_ONCE = 10;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;
/** The longest a timer is set for: clocks are set, and machines sleep. */
const LONGEST_TIMER_MS = 3_600_000;

/**
 * Submits the jobs of the schedules when they are due. As many instances as like run one: the job of an occurrence is
 * submitted under an idempotency key made of both, and then the row goes on, if it is still as it was. A crash between the
 * two is made good by whoever looks next.
 */
export class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #declared = new Map<string, DeclaredSchedule>();
  readonly #rows: ScheduleRows;
  readonly #agenda = new Agenda();
  readonly #waiting = new Set<string>();
  readonly #active = new Map<string, Promise<void>>();
  /** Those that have changed while they were attended to. */
  readonly #again = new Set<string>();
  /** Those that are retired, and are forgotten when their job is over. */
  readonly #leaving = new Set<string>();
  /** How often a schedule has failed to be attended to, in a row. */
  readonly #tries = new Map<string, number>();
  /** The jobs that are not over, by their schedules, and the other way round. */
  readonly #jobs = new Map<string, string>();
  readonly #withJob = new Map<string, string>();
  /** What the history has of those that were passed over last; to be told once. */
  readonly #remembered = new Map<string, string>();
  /** When the job of a schedule was last looked at, by the monotonic clock. */
  readonly #checked = new Map<string, number>();
  /** The jobs that we have asked to be cancelled. */
  readonly #cancelled = new Set<string>();
  #view: Omit<View, 'now'> = { isHeld: true, rescheduledAt: undefined, isPaused: () => false };
  readonly #runDeps: RunDeps;
  readonly #forgetting: Forgetting;
  #cancelTimer: (() => void) | undefined;
  #isRunning = false;

  constructor(deps: SchedulerDeps) {
    const { store, paths, clock, events, checkInterval } = deps;
    this.#deps = deps;
    this.#rows = new ScheduleRows({
      ...{ store, paths, clock, checkInterval },
      onChanged: (key) => {
        this.#attend(key);
      },
      onLost: (error, retryIn) => {
        if (this.#isRunning) events.emit('queue:failed', { queue: 'schedules', error, retryIn });
      },
    });
    this.#runDeps = { ...deps, rows: this.#rows };
    this.#forgetting = new Forgetting({ ...deps, rows: this.#rows });
  }

  /**
   * Resolves when the rows are those of the code.
   *
   * @param groups whose schedules are added later on
   */
  async start(declared: Iterable<DeclaredSchedule>, groups: ReadonlySet<string> = new Set()): Promise<void> {
    for (const schedule of declared) this.#declared.set(schedule.key, schedule);
    await this.#rows.start();
    await doAtOnce(
      AT_ONCE,
      this.#declared.values(),
      (schedule) => syncRow(schedule, this.#rows, this.#deps.clock),
      () => true,
    );
    await this.#retireVanished(groups);
    this.#deps.events.on('job:filed', this.#filed);
    this.#isRunning = true;
    for (const key of this.#declared.keys()) this.#attend(key);
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#deps.events.off('job:filed', this.#filed);
    this.#cancelTimer?.();
    this.#rows.stop();
    await Promise.all(this.#active.values());
  }

  /** What bears on all schedules has changed. */
  see(view: Omit<View, 'now'>): void {
    this.#view = view;
    for (const key of this.#declared.keys()) this.#attend(key);
  }

  rowsOf(group: string): ScheduleRow[] {
    return this.#rows.all().filter((row) => row.group === group);
  }

  /** Adds a schedule while it runs, or goes on with it. */
  async add(schedule: DeclaredSchedule): Promise<void> {
    this.#leaving.delete(schedule.key);
    await syncRow(schedule, this.#rows, this.#deps.clock);
    this.follow(schedule);
  }

  /** Goes on with a schedule as its row stands; what it waited for may be there now. */
  follow(schedule: DeclaredSchedule): void {
    this.#declared.set(schedule.key, schedule);
    this.#attend(schedule.key);
  }

  /** The schedule is retired, but its job may not be over: sees that through. */
  seeThrough(schedule: DeclaredSchedule): void {
    this.#leaving.add(schedule.key);
    this.follow(schedule);
  }

  /** It is run no more; its history stays, and its job goes on. */
  async retire(key: string): Promise<void> {
    const schedule = this.#declared.get(key);
    if (schedule !== undefined) this.seeThrough(schedule);
    for (let row = this.#rows.get(key); row !== undefined && !row.isRetired; row = this.#rows.get(key)) {
      await this.#rows.patch(row, { retired: this.#deps.clock.now().toISOString() });
    }
    this.#attend(key);
  }

  /** A process that declares none may well be one that has nothing to do with schedules. */
  async #retireVanished(groups: ReadonlySet<string>): Promise<void> {
    if (this.#declared.size === 0 && groups.size === 0) return;
    const vanished = this.#rows
      .all()
      .filter(
        ({ group, key, isRetired }) => !isRetired && !groups.has(group ?? '') && !this.#declared.has(key),
      );
    await doAtOnce(
      AT_ONCE,
      vanished,
      ({ key }) => this.retire(key),
      () => true,
    );
  }

  readonly #filed = ({ jobId }: { readonly jobId: string }): void => {
    const key = this.#withJob.get(jobId);
    if (key === undefined) return;
    this.#checked.delete(key);
    this.#attend(key);
  };

  #attend(key: string): void {
    if (!this.#isRunning) return;
    if (this.#active.has(key)) this.#again.add(key);
    else this.#waiting.add(key);
    this.#goOn();
  }

  #goOn(): void {
    for (const key of this.#waiting) {
      if (this.#active.size >= AT_ONCE || !this.#isRunning) break;
      this.#waiting.delete(key);
      const work = this.#work(key).finally(() => {
        this.#active.delete(key);
        if (this.#again.delete(key)) this.#waiting.add(key);
        this.#goOn();
      });
      this.#active.set(key, work);
    }
    if (this.#active.size < AT_ONCE) this.#setTimer();
  }

  #setTimer(): void {
    this.#cancelTimer?.();
    const { next } = this.#agenda;
    if (next === undefined || !this.#isRunning) return;
    const { clock } = this.#deps;
    const wait = Math.min(LONGEST_TIMER_MS, Math.max(0, next - clock.now().getTime()));
    this.#cancelTimer = clock.setTimer(() => {
      for (const key of this.#agenda.take(clock.now())) this.#attend(key);
      this.#setTimer();
    }, wait);
  }

  async #work(key: string): Promise<void> {
    const { clock, events } = this.#deps;
    try {
      if (this.#tries.has(key)) await this.#rows.reload(key); // the last write may have been done all the same
      await this.#advance(key);
      this.#tries.delete(key);
    } catch (error) {
      const tries = (this.#tries.get(key) ?? 0) + 1;
      this.#tries.set(key, tries);
      const retryIn = backoff(clock, tries, FIRST_WAIT_MS, LONGEST_WAIT_MS);
      this.#agenda.set(key, new Date(clock.now().getTime() + retryIn));
      if (this.#isRunning) events.emit('schedule:delayed', { schedule: key, error: toError(error), retryIn });
    }
  }

  /** Takes one step after another, until there is nothing to be done before some time. */
  async #advance(key: string): Promise<void> {
    for (;;) {
      const schedule = this.#declared.get(key);
      const row = this.#rows.get(key);
      if (schedule === undefined || !this.#isRunning) return;
      if (row === undefined) {
        if (this.#leaving.has(key)) return; // somebody has deleted it
        await syncRow(schedule, this.#rows, this.#deps.clock);
        continue;
      }
      await this.#rememberPassed(row);
      if (await this.#forgetting.lookAt(row)) continue;
      this.#follow(key, row.current?.jobId);
      if (row.current !== undefined && (await this.#settleIfOver(schedule, row))) continue;
      if (this.#leaving.has(key)) {
        this.#leave(row);
        return;
      }
      if (schedule.item?.isKnown() === false) {
        this.#rest(row, undefined);
        return;
      }
      const timing = timingOf(schedule.timing, row.override);
      const step = nextStep(row, schedule.type, timing, { ...this.#view, now: this.#deps.clock.now() });
      const isDone = await this.#take(schedule, row, timing, step);
      if (isDone) return;
    }
  }

  /** @returns whether that was all for now */
  async #take(
    schedule: DeclaredSchedule,
    row: ScheduleRow,
    timing: ResolvedTiming,
    step: Step,
  ): Promise<boolean> {
    switch (step.kind) {
      case 'rest':
        this.#rest(row, step.until);
        return true;
      case 'drop':
        await this.#rows.patch(row, { request: null });
        return false;
      case 'cancel':
        await this.#cancel(row);
        this.#rest(row, undefined);
        return true;
      case 'pass':
        await passOver(row, step, this.#runDeps);
        return false;
      case 'start':
        await schedule.item?.refresh();
        if (!this.#isStill(schedule, row)) return false;
        await startOccurrence(schedule, row, timing, step, this.#runDeps);
        return false;
      default:
        return assertNever(step);
    }
  }

  #isStill(schedule: DeclaredSchedule, row: ScheduleRow): boolean {
    const { key } = row;
    return this.#declared.get(key) === schedule && this.#rows.get(key) === row && !this.#leaving.has(key);
  }

  async #rememberPassed(row: ScheduleRow): Promise<void> {
    const { key, passed } = row;
    if (passed === undefined) return;
    const seen = `${passed.occurrence} ${passed.ended}`;
    if (this.#remembered.get(key) === seen) return;
    await rememberPassed(row, passed, this.#deps.store);
    this.#remembered.set(key, seen);
  }

  /** @returns whether it was looked at, and is over */
  async #settleIfOver(schedule: DeclaredSchedule, row: ScheduleRow): Promise<boolean> {
    const { clock, checkInterval } = this.#deps;
    const { key, current } = row;
    if (current === undefined) return false;
    const last = this.#checked.get(key);
    if (last !== undefined && clock.monotonic() - last < checkInterval) return false;
    this.#checked.set(key, clock.monotonic());
    if (!(await settle(schedule, row, current, this.#runDeps))) return false;
    this.#checked.delete(key);
    return true;
  }

  /** From now on its job is this one; of the one before, which another instance may have settled, nothing is kept. */
  #follow(key: string, jobId: string | undefined): void {
    const before = this.#jobs.get(key);
    if (before === jobId) return;
    if (before !== undefined) {
      this.#withJob.delete(before);
      this.#cancelled.delete(before);
      this.#checked.delete(key);
    }
    if (jobId === undefined) this.#jobs.delete(key);
    else {
      this.#jobs.set(key, jobId);
      this.#withJob.set(jobId, key);
    }
  }

  #rest(row: ScheduleRow, until: Date | undefined): void {
    const { clock, checkInterval } = this.#deps;
    const check = row.current === undefined ? Infinity : clock.now().getTime() + checkInterval;
    const time = Math.min(check, until?.getTime() ?? Infinity);
    this.#agenda.set(row.key, time === Infinity ? undefined : new Date(time));
    this.#setTimer();
  }

  #leave(row: ScheduleRow): void {
    this.#rest(row, undefined);
    if (!row.isRetired || row.current !== undefined) return;
    this.#declared.delete(row.key);
    this.#leaving.delete(row.key);
  }

  async #cancel({ current }: ScheduleRow): Promise<void> {
    if (current === undefined || this.#cancelled.has(current.jobId)) return;
    await this.#deps.cancel(current.key);
    this.#cancelled.add(current.jobId);
  }
}
