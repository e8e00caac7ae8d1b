import type { Clock } from '../clock.js';
import { documentAt } from '../document-at.js';
import { ConfigError, StoreError, unlessMissing } from '../errors.js';
import { isJsonObject, objectOf } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { expected, wholeNumber } from '../options.js';
import { isAddressable, isEntryKey, isServiceName, linkedId } from '../paths.js';
import type { Paths } from '../paths.js';
import { parseTiming, resolveTiming, timingRecord, withOverride } from './definition.js';
import type { ResolvedTiming, ScheduleTiming } from './definition.js';
import { nextAfter, preview } from './occurrences.js';
import { parseRow, replacing } from './row.js';
import type { CurrentRun, ScheduleRow } from './row.js';
import { askToRun, isoOf } from './runs.js';
import { timingOf } from './step.js';
import { holdPatch, parseSwitches, pauseTypePatch, releasePatch } from './switches.js';
import type { Switches } from './switches.js';

/** A schedule as an operator sees it. */
export interface ScheduleState {
  readonly key: string;
  readonly type: string;
  /** When it is due, as the code has it. */
  readonly timing: JsonObject;
  /** What an operator has set in place of that. */
  readonly override: JsonObject | undefined;
  readonly enabled: boolean;
  /** Why it is not run: its own functions throw again and again. */
  readonly heldBecause: string | undefined;
  readonly isRetired: boolean;
  readonly nextRunAt: Date | undefined;
  readonly current: CurrentRun | undefined;
  readonly last:
    { readonly occurrence: string; readonly outcome: string; readonly ended: string } | undefined;
  /** How often in a row it has failed. */
  readonly failures: number;
  /** The list of items that it was made for. */
  readonly group: string | undefined;
}

export type TimingOverride = Pick<ScheduleTiming, 'cron' | 'every' | 'at' | 'manual' | 'timeZone' | 'phase'>;

/** What is kept of an occurrence, as it stands in the history. */
export type HistoryRecord = JsonObject & { readonly occurrence: string };

export interface OperationsDeps {
  readonly store: Store;
  readonly paths: Paths;
  readonly clock: Clock;
}

/** Past the last entry that is asked for, older months are not read. */
const DEFAULT_LIMIT = 50;
const MOST_PREVIEWED = 1000;
/** How many rows are read at once. */
const READS = 20;

/** What operators see of the schedules of a service, and ask of them; whichever instance runs them does it. */
export class Schedules {
  readonly #deps: OperationsDeps;

  /** @internal */
  constructor(deps: OperationsDeps) {
    this.#deps = deps;
  }

  /** All of them, by their keys; those that the code has no more are told of as retired. */
  async list(): Promise<ScheduleState[]> {
    const links = [...(await this.#links())];
    const states: ScheduleState[] = [];
    for (let from = 0; from < links.length; from += READS) {
      const rows = await Promise.all(links.slice(from, from + READS).map(([key, id]) => this.#row(key, id)));
      states.push(...rows.flatMap((row) => (row === undefined ? [] : [stateOf(row)])));
    }
    return states.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  }

  /** @throws {ConfigError} there is none of that name; so from all that are given one */
  async get(key: string): Promise<ScheduleState> {
    return stateOf(await this.#rowOf(key));
  }

  /**
   * The next times at which it is due.
   *
   * @param count 1000 at most
   */
  async preview(key: string, count = 5): Promise<Date[]> {
    if (wholeNumber('count', count) > MOST_PREVIEWED) throw expected('count', 'at most 1000', count);
    const row = await this.#rowOf(key);
    return preview(timingNow(row), this.#deps.clock.now(), count);
  }

  /** Its occurrences, the latest first. */
  async history(key: string, limit: number = DEFAULT_LIMIT): Promise<HistoryRecord[]> {
    wholeNumber('limit', limit);
    const { record } = await this.#rowOf(key);
    const months = objectOf(record['history']);
    // A crash at the end of a month may have left an occurrence in two of them: the later one counts.
    const entries = new Map<string, HistoryRecord>();
    for (const month of Object.keys(months).toSorted().toReversed()) {
      const id = linkedId(months[month]);
      const data = id === undefined ? undefined : await documentAt(this.#deps.store, `/${id}`);
      for (const [name, entry] of Object.entries(objectOf(data)))
        if (isHistoryRecord(name, entry) && !entries.has(name)) entries.set(name, entry);
      if (entries.size >= limit) break;
    }
    return [...entries.values()].toSorted(latestFirst).slice(0, limit);
  }

  /**
   * Has it run now, out of turn; when the job before is over, if there is one. Asked again before that began, it runs
   * once.
   *
   * @throws {ConfigError} the code has it no more
   */
  async run(key: string): Promise<void> {
    const { id, isRetired } = await this.#rowOf(key);
    if (isRetired) throw new ConfigError(`the schedule ${JSON.stringify(key)} is retired: nobody runs it`);
    const { store, clock } = this.#deps;
    await askToRun(id, { id: `asked:${clock.key()}`, time: clock.now(), cause: undefined }, store);
  }

  async disable(key: string): Promise<void> {
    await this.#write(key, () => ({ enabled: false }));
  }

  /** @param due whether what became due meanwhile is run, as its catch-up says, or passed over */
  async enable(key: string, due: 'run' | 'reschedule' = 'run'): Promise<void> {
    checkDue(due);
    await this.#write(key, (row) => ({
      enabled: true,
      ...(due === 'reschedule' && { nextRunAt: isoOf(nextAfter(timingNow(row), this.#deps.clock.now())) }),
    }));
  }

  /**
   * Puts other times in place of those of the code: one of `cron`, `every`, `at` and `manual`, with the `timeZone` or `phase`
   * that belongs to it. A new version of the code does not take it back.
   *
   * @param timing undefined: those of the code again
   * @throws {ConfigError}
   */
  async override(key: string, timing: TimingOverride | undefined): Promise<void> {
    if (timing !== undefined) withOverride(resolveTiming({ manual: true }), timing); // it has to be one
    const given = timing === undefined ? null : timingRecord(timing);
    await this.#write(key, (row) => {
      const effective = timingOf(declaredTiming(row), given);
      const override = given === null ? null : replacing(row.override, given);
      return { override, nextRunAt: isoOf(nextAfter(effective, this.#deps.clock.now())) };
    });
  }

  /** Forgets its failures, and lets it go on if it is held because of them. */
  async reset(key: string): Promise<void> {
    await this.#write(key, () => ({ failures: 0, thrown: 0, held: null }));
  }

  /** Holds all schedules, of all instances, also after a restart. Jobs that run go on. */
  async hold(): Promise<void> {
    await this.#control(holdPatch(this.#deps.clock.now()));
  }

  /**
   * Takes {@link Schedules.hold} back.
   *
   * @param due whether what became due meanwhile is run, by each schedule's catch-up, or passed over
   */
  async release(due: 'run' | 'reschedule'): Promise<void> {
    checkDue(due);
    await this.#control(releasePatch(this.#deps.clock.now(), due));
  }

  /** Since when all are held; 1970 where what was written to hold them is no time. */
  async heldSince(): Promise<Date | undefined> {
    return (await this.#switches()).heldSince;
  }

  /** Of whose jobs no schedule begins any. */
  async pausedTypes(): Promise<readonly string[]> {
    return [...(await this.#switches()).pausedTypes].toSorted();
  }

  async #switches(): Promise<Switches> {
    const { store, paths } = this.#deps;
    return parseSwitches(objectOf(await documentAt(store, paths.controls))['schedules']);
  }

  /** Begins no more occurrences of the schedules whose jobs are of a type, until it is taken back. */
  async pauseType(type: string): Promise<void> {
    if (typeof type !== 'string' || type === '' || !isEntryKey(type))
      throw expected('type', 'the name of a job type', type);
    await this.#control(pauseTypePatch(type, true));
  }

  async resumeType(type: string): Promise<void> {
    await this.#control(pauseTypePatch(type, false));
  }

  async #control(patch: JsonObject): Promise<void> {
    const { store, paths } = this.#deps;
    await store.ensure(paths.controls, paths.tree);
    await store.put(paths.controls, patch);
  }

  async #links(): Promise<Map<string, string>> {
    const { store, paths } = this.#deps;
    const entries = Object.entries(objectOf(await documentAt(store, paths.schedules)));
    return new Map(
      entries.flatMap(([key, entry]): [string, string][] => {
        const id = linkedId(entry);
        return id === undefined || !isEntryKey(key) || !isAddressable(key) ? [] : [[key, id]];
      }),
    );
  }

  async #rowOf(key: string): Promise<ScheduleRow> {
    const id = isServiceName(key) ? (await this.#links()).get(key) : undefined;
    const row = id === undefined ? undefined : await this.#row(key, id);
    if (row === undefined) throw new ConfigError(`there is no schedule ${JSON.stringify(key)}`);
    return row;
  }

  /** Undefined where the list links to one that is gone. */
  async #row(key: string, id: string): Promise<ScheduleRow | undefined> {
    const stored = await unlessMissing(this.#deps.store.get(`/${id}`));
    return stored && parseRow(key, id, stored);
  }

  /** Again and again, if others write to the row as well. */
  async #write(key: string, patchOf: (row: ScheduleRow) => JsonObject): Promise<void> {
    for (;;) {
      const row = await this.#rowOf(key);
      try {
        await this.#deps.store.put(`/${row.id}`, patchOf(row), { ifMatch: row.etag });
        return;
      } catch (error) {
        if (!(error instanceof StoreError) || error.code !== 'OADA_JOBS_STORE_CONFLICT') throw error;
      }
    }
  }
}

function stateOf(row: ScheduleRow): ScheduleState {
  const { key, record, enabled = true, heldBecause, isRetired, nextRunAt, current, failures, group } = row;
  const { type, last } = record;
  return {
    ...{ key, enabled, heldBecause, isRetired, nextRunAt, current, failures, group },
    type: typeof type === 'string' ? type : '',
    timing: { ...objectOf(record['timing']) },
    override: row.override === undefined ? undefined : objectOf(row.override),
    last: lastOf(last),
  };
}

function declaredTiming({ record }: ScheduleRow): ResolvedTiming {
  return parseTiming(record['timing']) ?? resolveTiming({ manual: true });
}

function timingNow(row: ScheduleRow): ResolvedTiming {
  return timingOf(declaredTiming(row), row.override);
}

function lastOf(value: Json | undefined): ScheduleState['last'] {
  if (!isJsonObject(value)) return undefined;
  const { occurrence, outcome, ended } = value;
  if (typeof occurrence !== 'string' || typeof outcome !== 'string' || typeof ended !== 'string')
    return undefined;
  return { occurrence, outcome, ended };
}

function isHistoryRecord(name: string, entry: Json | undefined): entry is HistoryRecord {
  return isEntryKey(name) && isJsonObject(entry) && entry['occurrence'] === name;
}

/** By their ends; what ended together, by when it was due. */
function latestFirst(one: HistoryRecord, other: HistoryRecord): number {
  const [first, second] = [orderOf(one), orderOf(other)];
  return first === second ? 0 : first < second ? 1 : -1;
}

function orderOf({ ended, occurrence }: HistoryRecord): string {
  return `${typeof ended === 'string' ? ended : ''} ${occurrence}`;
}

function checkDue(due: unknown): void {
  if (due !== 'run' && due !== 'reschedule') throw expected('due', "'run' or 'reschedule'", due);
}
