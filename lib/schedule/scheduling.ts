import { ConfigError } from '../errors.js';
import type { Json } from '../json.js';
import type { Store } from '../oada/store.js';
import { resolveEach } from './item-options.js';
import type { EachOptions, ItemTemplate } from './item-options.js';
import { ItemSchedules } from './items.js';
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
  readonly #templates = new Map<string, ItemTemplate>();
  readonly #items: ItemSchedules[] = [];
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
   * Adds a schedule for each item of a list, or puts it in place of one of the same name. It starts together with the service.
   *
   * @throws {ConfigError}
   */
  declareEach<Item extends object>(name: string, options: EachOptions<Item>): void {
    const template = resolveEach(name, options);
    const alike = [...this.#templates.keys()].find((other) => isPrefix(name, other) || isPrefix(other, name));
    if (alike !== undefined)
      throw new ConfigError(
        `there are schedules for the items of lists by the names ${alike} and ${name}, so that two may be called the same`,
      );
    this.#templates.set(name, template);
  }

  /**
   * @param cancel has a job of the service cancelled
   * @throws {ConfigError} schedules follow each other in a circle, or one follows that is not there
   * @throws {StoreError}
   */
  async start(store: Store, cancel: SchedulerDeps['cancel']): Promise<void> {
    checkChains(this.#declared, this.#templates.values());
    if (this.#declared.size === 0 && this.#templates.size === 0) return;
    const scheduler = new Scheduler({ ...this.#deps, store, cancel });
    scheduler.see(viewOf(parseSwitches(this.#switches)));
    this.#scheduler = scheduler;
    await scheduler.start(this.#declared.values(), new Set(this.#templates.keys()));
    const taken = new Set(this.#declared.keys());
    const isTaken = (key: string): boolean => taken.has(key);
    for (const template of this.#templates.values())
      this.#items.push(new ItemSchedules(template, { ...this.#deps, store, scheduler, isTaken }));
    await Promise.all(this.#items.map((items) => items.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#items.splice(0).map((items) => items.stop()));
    await this.#scheduler?.stop();
    this.#scheduler = undefined;
  }

  /** What operators ask of all schedules has changed. */
  see(switches: Json | undefined): void {
    this.#switches = switches;
    this.#scheduler?.see(viewOf(parseSwitches(switches)));
  }
}

/** Schedules of items are called by the name, a dot and the item. */
function isPrefix(one: string, other: string): boolean {
  return other.startsWith(`${one}.`);
}
