import type { Json } from '../json.js';
import type { Store } from '../oada/store.js';
import { checkChains, resolveSchedule } from './options.js';
import type { DeclaredSchedule, ScheduleOptions } from './options.js';
import { Scheduler } from './scheduler.js';
import type { SchedulerDeps } from './scheduler.js';
import { parseSwitches, viewOf } from './switches.js';

export type SchedulingDeps = Omit<SchedulerDeps, 'store' | 'cancel'>;

/** The schedules of a service's code, and what runs them while the service does. A service without any has nothing to do. */
export class Scheduling {
  readonly #deps: SchedulingDeps;
  readonly #declared = new Map<string, DeclaredSchedule>();
  #scheduler: Scheduler | undefined;
  #switches: Json | undefined;

  constructor(deps: SchedulingDeps) {
    this.#deps = deps;
  }

  /**
   * Adds a schedule, or puts it in place of one of the same name. It starts together with the service.
   *
   * @throws {ConfigError}
   */
  declare(key: string, options: ScheduleOptions): void {
    const schedule = resolveSchedule(key, options);
    this.#declared.set(key, schedule);
  }

  /**
   * @param cancel has a job of the service cancelled
   * @throws {ConfigError} schedules follow each other in a circle, or one follows that is not there
   * @throws {StoreError}
   */
  async start(store: Store, cancel: SchedulerDeps['cancel']): Promise<void> {
    checkChains(this.#declared);
    if (this.#declared.size === 0) return;
    const scheduler = new Scheduler({ ...this.#deps, store, cancel });
    scheduler.see(viewOf(parseSwitches(this.#switches)));
    this.#scheduler = scheduler;
    await scheduler.start(this.#declared.values());
  }

  async stop(): Promise<void> {
    await this.#scheduler?.stop();
    this.#scheduler = undefined;
  }

  /** What operators ask of all schedules has changed. */
  see(switches: Json | undefined): void {
    this.#switches = switches;
    this.#scheduler?.see(viewOf(parseSwitches(switches)));
  }
}
