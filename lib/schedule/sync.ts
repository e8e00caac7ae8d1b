import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '../clock.js';
import { isJsonObject } from '../json.js';
import type { Json } from '../json.js';
import { nextAfter } from './occurrences.js';
import type { DeclaredSchedule } from './options.js';
import { replacing } from './row.js';
import type { ScheduleRows } from './rows.js';
import { isoOf } from './runs.js';
import { timingOf } from './step.js';

/** A new version's change takes effect at once; what operators have set survives it. */
export async function syncRow(schedule: DeclaredSchedule, rows: ScheduleRows, clock: Clock): Promise<void> {
  const { key, record, timing } = schedule;
  for (;;) {
    const row = rows.get(key);
    const nextRunAt = isoOf(nextAfter(timingOf(timing, row?.override), clock.now()));
    if (row === undefined) {
      if (rows.isUnread(key)) await rows.reload(key); // or else it would be taken for a new one
      if (rows.get(key) === undefined) await rows.add(key, { ...record, nextRunAt });
      continue;
    }
    const changed = Object.entries(record).filter(
      ([name, value]) => !isDeepStrictEqual(row.record[name] ?? null, value),
    );
    if (changed.length === 0 && !row.isRetired) return;
    const isOverridden = timingOf(timing, row.override) !== timing;
    const isNew = row.isRetired || (changed.some(([name]) => name === 'timing') && !isOverridden);
    const parts = changed.map(([name, value]): [string, Json | undefined] => [
      name,
      isJsonObject(value) ? replacing(row.record[name], value) : value,
    ]);
    const patch = {
      ...Object.fromEntries(parts),
      ...(row.isRetired && { retired: null, request: null }), // what was asked for was not asked of this one
      ...(isNew && { nextRunAt }),
    };
    if (await rows.patch(row, patch)) return;
  }
}
