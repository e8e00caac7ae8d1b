import type { Clock } from '../clock.js';
import { isJsonObject } from '../json.js';
import type { Store } from '../oada/store.js';
import { linkedId } from '../paths.js';
import { monthOf } from './history.js';
import type { ScheduleRow } from './row.js';
import type { ScheduleRows } from './rows.js';

export interface ForgettingDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly rows: Pick<ScheduleRows, 'patch'>;
  /** How long the history is kept, in milliseconds. */
  readonly historyAge: number;
}

/** Deletes the months of the schedules' history that are old enough. */
export class Forgetting {
  readonly #deps: ForgettingDeps;
  /** In which month the history of a schedule was last looked through. */
  readonly #lookedAt = new Map<string, string>();

  constructor(deps: ForgettingDeps) {
    this.#deps = deps;
  }

  /**
   * Once a month for each schedule. The links to what is deleted go last, so that a crash leaves nothing behind.
   *
   * @returns whether it has written to the row
   */
  async lookAt(row: ScheduleRow): Promise<boolean> {
    const { store, clock, rows, historyAge } = this.#deps;
    const now = clock.now();
    if (historyAge === Infinity || this.#lookedAt.get(row.key) === monthOf(now)) return false;
    const history = isJsonObject(row.record['history']) ? Object.entries(row.record['history']) : [];
    const old = history.flatMap(([month, entry]) => {
      const id = linkedId(entry);
      return id !== undefined && endOfMonth(month) <= now.getTime() - historyAge ? [{ month, id }] : [];
    });
    for (const { id } of old) await store.delete(`/${id}`);
    const links = Object.fromEntries(old.map(({ month }): [string, null] => [month, null]));
    const isDone = old.length === 0 || (await rows.patch(row, { history: links }));
    if (isDone) this.#lookedAt.set(row.key, monthOf(now));
    return old.length > 0;
  }
}

/** When the month is over, in UTC; never, where it is none. */
function endOfMonth(month: string): number {
  const [, year, index] = /^(\d{4})-(\d\d)$/.exec(month) ?? [];
  return year === undefined ? Infinity : Date.UTC(Number(year), Number(index));
}
