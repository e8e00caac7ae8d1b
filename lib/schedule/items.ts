import { backoff } from '../clock.js';
import type { Clock } from '../clock.js';
import { StoreError, toError } from '../errors.js';
import type { Events } from '../events.js';
import type { Store } from '../oada/store.js';
import { isServiceName } from '../paths.js';
import { doAtOnce } from './at-once.js';
import { ItemList } from './item-list.js';
import type { ItemTemplate } from './item-options.js';
import { arrange, judge } from './item-verdicts.js';
import type { Arrangement, Verdict } from './item-verdicts.js';
import type { DeclaredSchedule, ItemState } from './options.js';
import type { ScheduleRow } from './row.js';
import type { Scheduler } from './scheduler.js';

export interface ItemSchedulesDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly events: Events;
  readonly checkInterval: number;
  readonly scheduler: Pick<Scheduler, 'rowsOf' | 'add' | 'follow' | 'retire' | 'seeThrough'>;
  /** Is it the key of a schedule that is of no item? */
  readonly isTaken: (key: string) => boolean;
}

/** How many schedules are added or retired at once. */
const AT_ONCE = 10;
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

/**
 * Has a schedule for each item of a list, for as long as the item is there and wanted. Schedules that were there before go
 * on while the list cannot be read. Each instance does the same.
 */
export class ItemSchedules {
  readonly #template: ItemTemplate;
  readonly #deps: ItemSchedulesDeps;
  readonly #list: ItemList;
  readonly #schedules = new Map<string, DeclaredSchedule>();
  /** The keys of the schedules that are known to be those of the code. */
  readonly #added = new Set<string>();
  /** Which item a schedule is of, and the other way round. */
  readonly #itemOf = new Map<string, string>();
  readonly #keyOf = new Map<string, string>();
  /** The schedules whose item somebody was seen to take away. */
  readonly #removed = new Set<string>();
  /** The schedules that wait for their item to be known. */
  readonly #waiting = new Set<string>();
  /** What was complained of, by item: each is told of once. */
  readonly #complaints = new Map<string, string>();
  #kept = 0;
  #arranging: Promise<void> = Promise.resolve();
  #isArranging = false;
  #arrangeAgain = false;
  #tries = 0;
  #cancelRetry: () => void = () => undefined;
  #isStopped = false;

  constructor(template: ItemTemplate, deps: ItemSchedulesDeps) {
    const { store, clock, checkInterval } = deps;
    const { list: path, refreshInterval, where, keyOf } = template;
    this.#template = template;
    this.#deps = deps;
    this.#list = new ItemList({
      ...{ store, clock, path, checkInterval, refreshInterval },
      isRead: where !== undefined || keyOf !== undefined,
      onChanged: () => void this.#arrange(),
      onRemoved: (item) => {
        const key = this.#keyOf.get(item);
        if (key !== undefined) this.#removed.add(key);
      },
      onLost: (error, retryIn) => {
        this.#tellDelayed(error, retryIn);
      },
    });
  }

  /** Resolves when the schedules are those of the list; or when that is found to take longer, and is tried again. */
  async start(): Promise<void> {
    const { scheduler } = this.#deps;
    for (const row of scheduler.rowsOf(this.#template.name)) {
      if (!this.#isOurs(row)) continue;
      if (!row.isRetired) scheduler.follow(this.#scheduleOf(row.key));
      else if (row.current !== undefined) scheduler.seeThrough(this.#scheduleOf(row.key));
    }
    await this.#startList();
    await this.#arranging;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRetry();
    await this.#list.stop();
    await this.#arranging;
  }

  async #startList(): Promise<void> {
    try {
      await this.#list.start();
      this.#tries = 0;
    } catch (error) {
      this.#retry(toError(error), () => this.#startList());
    }
  }

  #retry(error: Error, again: () => Promise<void>): void {
    const { clock } = this.#deps;
    if (this.#isStopped) return;
    const retryIn = backoff(clock, ++this.#tries, FIRST_WAIT_MS, LONGEST_WAIT_MS);
    this.#tellDelayed(error, retryIn);
    this.#cancelRetry();
    this.#cancelRetry = clock.setTimer(() => void again(), retryIn);
  }

  #tellDelayed(error: Error, retryIn: number): void {
    if (this.#isStopped) return;
    this.#deps.events.emit('schedule:delayed', { schedule: this.#template.name, error, retryIn });
  }

  /** Does not throw: what cannot be done is tried again. */
  #arrange(): Promise<void> {
    this.#arrangeAgain = true;
    if (this.#isArranging) return this.#arranging;
    this.#isArranging = true;
    this.#arranging = this.#arrangeUntilDone();
    return this.#arranging;
  }

  async #arrangeUntilDone(): Promise<void> {
    while (this.#arrangeAgain && this.#list.isListed && !this.#isStopped) {
      this.#arrangeAgain = false;
      try {
        await this.#arrangeOnce();
        this.#tries = 0;
      } catch (error) {
        this.#retry(toError(error), () => this.#arrange());
      }
    }
    this.#isArranging = false; // at once: who comes from now on finds nobody at it
  }

  async #arrangeOnce(): Promise<void> {
    const { scheduler, isTaken } = this.#deps;
    const rows = scheduler.rowsOf(this.#template.name).filter((row) => this.#isOurs(row));
    const arrangement = arrange(this.#verdicts(), rows, this.#removed, isTaken);
    this.#note(arrangement);
    this.#tell(arrangement);
    const { wanted, retire } = arrangement;
    const live = new Set(rows.filter(({ isRetired }) => !isRetired).map(({ key }) => key));
    const add = [...wanted.keys()].filter((key) => !live.has(key) || !this.#added.has(key));
    const steps = [
      ...add.map((key) => () => this.#add(key)),
      ...retire.map((key) => () => this.#retire(key)),
    ];
    await doAtOnce(
      AT_ONCE,
      steps,
      (step) => step(),
      (error) => this.#isStopped || isHopeless(error),
    );
    for (const key of this.#removed) if (!retire.includes(key)) this.#removed.delete(key); // it is back
  }

  #verdicts(): Map<string, Verdict> {
    return new Map(
      this.#list.keys().map((item): [string, Verdict] => {
        const view = this.#list.get(item) ?? { value: undefined, error: undefined };
        return [item, judge(this.#template, item, view, this.#keyOf.get(item))];
      }),
    );
  }

  /** Which item each schedule is of; those that waited for theirs go on. */
  #note({ wanted, left }: Arrangement): void {
    for (const [key, item] of [...left, ...wanted]) {
      this.#itemOf.set(key, item);
      this.#keyOf.set(item, key);
    }
    for (const key of this.#waiting) {
      if (!this.#isKnown(key)) continue;
      this.#waiting.delete(key);
      const schedule = this.#schedules.get(key);
      if (schedule !== undefined) this.#deps.scheduler.follow(schedule);
    }
  }

  #tell({ complaints, kept }: Arrangement): void {
    const { events } = this.#deps;
    const { name: group, list } = this.#template;
    for (const item of this.#complaints.keys()) if (!complaints.has(item)) this.#complaints.delete(item);
    for (const [item, error] of complaints) {
      if (this.#complaints.get(item) === error.message) continue;
      this.#complaints.set(item, error.message);
      events.emit('schedule:refused', { group, item, error });
    }
    if (kept > 0 && kept !== this.#kept) events.emit('schedule:kept', { group, list, count: kept });
    this.#kept = kept;
  }

  async #add(key: string): Promise<void> {
    if (this.#isStopped) return;
    await this.#deps.scheduler.add(this.#scheduleOf(key));
    this.#added.add(key);
  }

  async #retire(key: string): Promise<void> {
    if (this.#isStopped) return;
    await this.#deps.scheduler.retire(key);
    const item = this.#itemOf.get(key);
    if (item !== undefined && this.#keyOf.get(item) === key) this.#keyOf.delete(item);
    for (const noted of [this.#added, this.#removed, this.#waiting, this.#itemOf, this.#schedules])
      noted.delete(key);
  }

  #isOurs({ key }: ScheduleRow): boolean {
    return key.startsWith(`${this.#template.name}.`) && isServiceName(key) && !this.#deps.isTaken(key);
  }

  #scheduleOf(key: string): DeclaredSchedule {
    const schedule = this.#schedules.get(key) ?? this.#template.scheduleOf(key, this.#stateOf(key));
    this.#schedules.set(key, schedule);
    return schedule;
  }

  #stateOf(key: string): ItemState {
    return {
      get: () => {
        const item = this.#itemOf.get(key);
        return item === undefined ? undefined : this.#list.get(item)?.value;
      },
      isKnown: () => {
        const isKnown = this.#isKnown(key);
        if (!isKnown) this.#waiting.add(key);
        return isKnown;
      },
      refresh: async () => {
        const item = this.#itemOf.get(key);
        if (item !== undefined && (await this.#list.refresh(item))) await this.#arrange();
      },
    };
  }

  #isKnown(key: string): boolean {
    const item = this.#itemOf.get(key);
    return item !== undefined && this.#list.isWithinReach(item);
  }
}

function isHopeless(error: unknown): boolean {
  return error instanceof StoreError && error.retryable;
}
