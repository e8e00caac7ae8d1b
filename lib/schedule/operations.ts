import type { Clock } from '../clock.js';
import { ConfigError, StoreError } from '../errors.js';
import { isJsonObject } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { isEntryKey, linkedId } from '../paths.js';
import type { Paths } from '../paths.js';
import { parseTiming, resolveTiming, timingRecord, withOverride } from './definition.js';
import type { ResolvedTiming, ScheduleTiming } from './definition.js';
import { nextAfter, preview } from './occurrences.js';
import { parseRow } from './row.js';
import type { CurrentRun, ScheduleRow } from './row.js';
import { askToRun, isoOf } from './runs.js';
import { timingOf } from './step.js';
import { holdPatch, parseSwitches, pauseTypePatch, releasePatch } from './switches.js';

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

/** What operators see of the schedules of a service, and ask of them; whichever instance runs them does it. */
export class Schedules {
  readonly #deps: OperationsDeps;

  /** @internal */
  constructor(deps: OperationsDeps) {
    this.#deps = deps;
  }

  /** All of them, by their keys; those that the code has no more are told of as retired. */
  async list(): Promise<ScheduleState[]> {
    const rows = await Promise.all([...(await this.#links())].map(([key, id]) => this.#row(key, id)));
    return rows.map(stateOf).toSorted((one, other) => (one.key < other.key ? -1 : 1));
  }

  async get(key: string): Promise<ScheduleState> {
    return stateOf(await this.#rowOf(key));
  }

  /** The next times at which it is due. */
  async preview(key: string, count = 5): Promise<Date[]> {
    const row = await this.#rowOf(key);
    return preview(timingNow(row), this.#deps.clock.now(), count);
  }

  /** Its occurrences, the latest first. */
  async history(key: string, limit: number = DEFAULT_LIMIT): Promise<HistoryRecord[]> {
    const { record } = await this.#rowOf(key);
    const months = isJsonObject(record['history']) ? record['history'] : {};
    const entries: HistoryRecord[] = [];
    for (const month of Object.keys(months).toSorted().toReversed()) {
      const id = linkedId(months[month]);
      if (id === undefined) continue;
      const { data } = await this.#deps.store.get(`/${id}`);
      const own = isJsonObject(data) ? Object.entries(data).filter(([name]) => isEntryKey(name)) : [];
      entries.push(...own.flatMap(([, entry]) => (isHistoryRecord(entry) ? [entry] : [])));
      if (entries.length >= limit) break;
    }
    return entries.toSorted((one, other) => (endOf(one) < endOf(other) ? 1 : -1)).slice(0, limit);
  }

  /** Has it run now, out of turn; when the job before is over, if there is one. */
  async run(key: string): Promise<void> {
    const { id } = await this.#rowOf(key);
    const { store, clock } = this.#deps;
    await askToRun(id, { id: `asked:${clock.key()}`, time: clock.now(), cause: undefined }, store);
  }

  async disable(key: string): Promise<void> {
    await this.#write(key, () => ({ enabled: false }));
  }

  /** @param due whether what became due meanwhile is run, as its catch-up says, or passed over */
  async enable(key: string, due: 'run' | 'reschedule' = 'run'): Promise<void> {
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
    const override = timing === undefined ? null : timingRecord(timing);
    await this.#write(key, (row) => {
      const effective = timingOf(declaredTiming(row), override);
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
    await this.#control(releasePatch(this.#deps.clock.now(), due));
  }

  /** Since when all are held. */
  async heldSince(): Promise<Date | undefined> {
    const { store, paths } = this.#deps;
    const { data } = await store.get(paths.controls);
    return parseSwitches(isJsonObject(data) ? data['schedules'] : undefined).heldSince;
  }

  /** Begins no more occurrences of the schedules whose jobs are of a type, until it is taken back. */
  async pauseType(type: string): Promise<void> {
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
    const { data } = await store.get(paths.schedules);
    const entries = isJsonObject(data) ? Object.entries(data) : [];
    return new Map(
      entries.flatMap(([key, entry]): [string, string][] => {
        const id = linkedId(entry);
        return id === undefined || !isEntryKey(key) ? [] : [[key, id]];
      }),
    );
  }

  async #rowOf(key: string): Promise<ScheduleRow> {
    const id = (await this.#links()).get(key);
    if (id === undefined) throw new ConfigError(`there is no schedule ${JSON.stringify(key)}`);
    return await this.#row(key, id);
  }

  async #row(key: string, id: string): Promise<ScheduleRow> {
    return parseRow(key, id, await this.#deps.store.get(`/${id}`));
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

function isHistoryRecord(entry: Json | undefined): entry is HistoryRecord {
  return isJsonObject(entry) && typeof entry['occurrence'] === 'string';
}

function endOf(entry: HistoryRecord): string {
  return typeof entry['ended'] === 'string' ? entry['ended'] : '';
}

function objectOf(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
