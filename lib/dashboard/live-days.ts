import { toError } from '../errors.js';
import { countEntries, filedDays } from '../operator/lists.js';
import type { ListEntry, ListReader } from '../operator/lists.js';
import type { OperatorDeps } from '../operator/operator-deps.js';
import { dayOf } from '../paths.js';
import type { FinalStatus } from '../paths.js';
import { layoutsOf } from '../retention/day-lists.js';
import type { DayCounts } from './api.js';
import { KeptLinks } from './kept-links.js';
import { ViewOfList } from './view-of-list.js';

export interface LiveDaysOptions {
  /** What is to be known first: the lists of a day may be long. */
  readonly after: Promise<void>;
  /** For the lists that are not kept in view. */
  readonly lists: ListReader;
  /** The counts have changed. */
  readonly changed: () => void;
  /** Jobs were filed just now. */
  readonly filed: (status: FinalStatus, entries: readonly ListEntry[]) => void;
  readonly lost: (error: Error) => void;
}

/** A list of today. */
interface KeptDay {
  readonly path: string;
  readonly status: FinalStatus;
  readonly links: KeptLinks;
  readonly view: ViewOfList;
}

const STATUSES: readonly FinalStatus[] = ['success', 'failure'];
const MOST_DAYS = 7;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** How often the days before today are looked at: they do not change but for the oldest, which go. */
const LOOK_MS = 5 * 60_000;

/** The lists of finished jobs: that of today is kept in view, those before are counted now and then. */
export class LiveDays {
  readonly #deps: OperatorDeps;
  readonly #options: LiveDaysOptions;
  #today: string;
  #kept: readonly KeptDay[];
  /** As far as they are known; what they say of today counts only where its lists are not in view. */
  #counts: readonly DayCounts[] = [];
  /** The day of which the lists were looked for: until then nobody knows how much is in them. */
  #tried: string | undefined;
  #isLooked = false;
  #cancelTurn: () => void = () => undefined;
  #cancelLook: () => void = () => undefined;
  #isStopped = false;
  readonly #looked: Promise<void>;

  constructor(deps: OperatorDeps, options: LiveDaysOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#today = dayOf(deps.clock.now());
    this.#kept = this.#keep(true);
    void this.#awaitToday();
    this.#looked = this.#lookBack();
    this.#turnLater();
  }

  /** Resolves when today's lists were read, as far as they are there. */
  async tried(): Promise<void> {
    await Promise.all(this.#kept.map(({ view }) => view.tried));
  }

  /** Resolves when the days before were counted for the first time. */
  get looked(): Promise<void> {
    return this.#looked;
  }

  /** Of the lists of today that are in view. */
  entries(path: string): readonly ListEntry[] | undefined {
    const kept = this.#kept.find((list) => list.path === path);
    return kept?.view.isKept === true ? kept.links.entries : undefined;
  }

  /** Resolves when {@link LiveDays.entries} tells of a list, if ever; undefined for a list that is none of today. */
  opened(path: string): Promise<void> | undefined {
    return this.#kept.find((list) => list.path === path)?.view.tried;
  }

  /** The latest day first; as far as it is known. Today is among them from then on, even if nothing was filed yet. */
  counts(): DayCounts[] {
    const before = this.#counts.filter(({ day }) => day !== this.#today);
    const today = this.#countToday();
    return (today === undefined ? before : [today, ...before]).slice(0, MOST_DAYS);
  }

  #countToday(): DayCounts | undefined {
    const day = this.#today;
    if (this.#tried !== day) return undefined;
    const there = this.#kept.filter(({ view }) => view.isKept);
    if (there.length === 0) {
      const none = this.#isLooked ? { day, success: 0, failure: 0 } : undefined;
      return this.#counts.find((counts) => counts.day === day) ?? none;
    }
    const count = (status: FinalStatus): number =>
      there.reduce((sum, list) => sum + (list.status === status ? list.links.entries.length : 0), 0);
    return { day, success: count('success'), failure: count('failure') };
  }

  async #awaitToday(): Promise<void> {
    const day = this.#today;
    await this.tried();
    if (this.#isStopped || day !== this.#today) return;
    this.#tried = day;
    this.#options.changed();
  }

  /** The latest of today, of either status. */
  latest(most: number): { readonly entry: ListEntry; readonly status: FinalStatus }[] {
    const all = this.#kept.flatMap(({ links, status }) =>
      links.entries.slice(-most).map((entry) => ({ entry, status })),
    );
    return latestOf(all, most);
  }

  /** The latest of the day before, in the first hour of today: later on they are more than an hour old. */
  async latestBefore(most: number): Promise<{ readonly entry: ListEntry; readonly status: FinalStatus }[]> {
    const { clock, paths } = this.#deps;
    const now = clock.now().getTime();
    if (now % DAY_MS >= HOUR_MS) return [];
    const day = dayOf(new Date(now - HOUR_MS));
    const lists = layoutsOf(paths).flatMap((layout) =>
      STATUSES.map(async (status) =>
        (await this.#options.lists.entries(layout.dayIndex(status, day)))
          .slice(-most)
          .map((entry) => ({ entry, status })),
      ),
    );
    return latestOf((await Promise.all(lists)).flat(), most);
  }

  /** The lists that were not there may be there now. */
  look(): void {
    for (const { view } of this.#kept) if (!view.isKept) view.look();
  }

  async refresh(): Promise<void> {
    await Promise.all(this.#kept.map(({ view }) => view.refresh()));
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTurn();
    this.#cancelLook();
    for (const { view } of this.#kept) view.stop();
  }

  /** @param isFirst what is in the lists when they are first read was filed before */
  #keep(isFirst: boolean): KeptDay[] {
    return layoutsOf(this.#deps.paths).flatMap((layout) =>
      STATUSES.map((status) => this.#keepList(layout.dayIndex(status, this.#today), status, isFirst)),
    );
  }

  #keepList(path: string, status: FinalStatus, isFirst: boolean): KeptDay {
    const { after, changed, filed, lost } = this.#options;
    const links = new KeptLinks();
    let isFiledBefore = isFirst;
    const view = new ViewOfList(this.#deps, {
      ...{ path, after },
      // Then nothing in it was filed before.
      missing: () => (isFiledBefore = false),
      observer: {
        listed: (entries) => {
          const { added } = links.replace(entries);
          if (!isFiledBefore && added.length > 0) filed(status, added);
          isFiledBefore = false;
          changed();
        },
        changed: (key, written) => {
          const added = links.put(key, written);
          if (added !== undefined) filed(status, [added]);
          changed();
        },
        removed: (key) => {
          links.remove(key);
          changed();
        },
        lost,
      },
    });
    return { path, status, links, view };
  }

  #turnLater(): void {
    const { clock } = this.#deps;
    const now = clock.now().getTime();
    this.#cancelTurn = clock.setTimer(
      () => {
        if (dayOf(clock.now()) !== this.#today) this.#turn();
        this.#turnLater();
      },
      DAY_MS - (now % DAY_MS),
    );
  }

  /** Midnight in UTC. */
  #turn(): void {
    this.#counts = this.counts().filter(({ success, failure }) => success + failure > 0);
    for (const { view } of this.#kept) view.stop();
    this.#today = dayOf(this.#deps.clock.now());
    this.#kept = this.#keep(false);
    void this.#awaitToday();
    this.#options.changed();
  }

  async #lookBack(): Promise<void> {
    const { clock } = this.#deps;
    try {
      await this.#countBack();
    } catch (error) {
      this.#options.lost(toError(error));
    }
    if (this.#isStopped) return;
    this.#cancelLook = clock.setTimer(() => {
      void this.#lookBack();
    }, LOOK_MS);
  }

  /** One list after the other: they may be long, and there is no hurry. */
  async #countBack(): Promise<void> {
    const [successes = [], failures = []] = await Promise.all(
      STATUSES.map((status) => filedDays(this.#deps, status)),
    );
    const days = [...new Set([...successes, ...failures])].toSorted().toReversed();
    await this.tried(); // what people look at first
    for (const day of days.slice(0, MOST_DAYS)) {
      if (day === this.#today && this.#kept.some(({ view }) => view.isKept)) continue;
      const success = successes.includes(day) ? await this.#count('success', day) : 0;
      const failure = failures.includes(day) ? await this.#count('failure', day) : 0;
      if (this.#isStopped) return;
      this.#put({ day, success, failure });
    }
    this.#counts = this.#counts.filter(({ day }) => days.includes(day));
    this.#isLooked = true;
    this.#options.changed();
  }

  async #count(status: FinalStatus, day: string): Promise<number> {
    return await countEntries(this.#deps, this.#options.lists, (layout) => layout.dayIndex(status, day));
  }

  #put(counts: DayCounts): void {
    const others = this.#counts.filter(({ day }) => day !== counts.day);
    this.#counts = [...others, counts].toSorted((one, other) => (one.day < other.day ? 1 : -1));
    this.#options.changed();
  }
}

function latestOf<Filed extends { readonly entry: ListEntry }>(
  filed: readonly Filed[],
  most: number,
): Filed[] {
  return filed.toSorted((one, other) => (one.entry.key < other.entry.key ? 1 : -1)).slice(0, most);
}
