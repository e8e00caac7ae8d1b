import { Cron } from 'croner';

import { toError } from '../errors.js';
import { changeIn, DAY_MS, instantOf, localTime } from './zone.js';
import type { Zone } from './zone.js';

/** When something is due, again and again. */
export interface Occurrences {
  /** The first after that time; undefined where there is none before the year 3000. */
  readonly after: (time: Date) => Date | undefined;
  /** The last that is not after that time; undefined where there is none. */
  readonly upTo: (time: Date) => Date | undefined;
}

/** The same in numbers: of local times, as if clocks were never changed, or of true ones. */
interface Sequence {
  readonly after: (time: number) => number | undefined;
  readonly upTo: (time: number) => number | undefined;
}

const LONGEST_PATTERN = 200;
/** There is nothing due before the one and after the other. */
const [FIRST_MS, END_MS] = [Date.UTC(1900, 0, 1), Date.UTC(3000, 0, 1)];

/**
 * Of 5 fields (minute, hour, day of the month, month, day of the week) or 6 (a second before them). Besides `*`, `,`,
 * `-`, `/` and English names, a day may be `L` (the last), `15W` (the weekday next to it) or `5#2` (the second Friday).
 * Where both days are given, either will do; with `+` before that of the week, both have to be right.
 *
 * What becomes of it when clocks are changed depends on the second, the minute and the hour:
 *
 * - Where they hold neither `*` nor `/`, they are times of the day, each due once a day. One that is passed over is due
 *   at the moment at which clocks are put forward; one that comes twice is due the first time. (`30 2 * * *`)
 * - All others are beats, due whenever clocks show such a time: never where it is passed over, and twice where it comes
 *   twice. A beat of every ten minutes stays one. (`*\/10 * * * *`, `0 * * * *`)
 *
 * A pattern that is never due is one like any other (`0 0 30 2 *`).
 *
 * @throws {RangeError} it is no cron
 */
export function cronOccurrences(pattern: string, zone: Zone): Occurrences {
  const local = localSequence(pattern);
  const clock = pattern.trim().split(/\s+/).slice(0, -3);
  const isTimes = clock.every((field) => /^[\d,-]+$/.test(field));
  const { after, upTo } = isTimes ? timesOfDay(local, zone) : beats(local, zone);
  return {
    after: (time) =>
      time.getTime() < END_MS ? toDate(after(Math.max(FIRST_MS, time.getTime()))) : undefined,
    upTo: (time) => (time.getTime() >= FIRST_MS ? toDate(upTo(Math.min(END_MS, time.getTime()))) : undefined),
  };
}

function toDate(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}

function localSequence(pattern: string): Sequence {
  // Croner reads dates and names like '@daily' as well: it gets to see nothing but what fields are made of.
  const fields = pattern.trim().split(/\s+/);
  if (pattern.length > LONGEST_PATTERN || !fields.every((field) => /^[\w*?,/#+-]+$/.test(field))) {
    throw new RangeError('there is something in it that is no part of cron');
  }
  try {
    // Without a function to call, it only computes. Local times are all it has to do with, so it knows of no zone.
    const cron = new Cron(fields.join(' '), { mode: '5-or-6-parts', utcOffset: 0, paused: true });
    return {
      after: (time) => cron.nextRun(new Date(time))?.getTime(),
      // What it looks back from is not part of what it finds.
      upTo: (time) => cron.previousRuns(1, new Date(time + 1))[0]?.getTime(),
    };
  } catch (error) {
    throw new RangeError(toError(error).message.replace(/^Cron\w*: /, ''), { cause: error });
  }
}

function timesOfDay(locals: Sequence, zone: Zone): Sequence {
  return {
    after: (time) => {
      let local = locals.after(localTime(zone, time));
      // The second time that clocks show an hour, nothing of it is due.
      while (local !== undefined && instantOf(zone, local) <= time) local = locals.after(local);
      return local === undefined ? undefined : instantOf(zone, local);
    },
    upTo: (time) => {
      const shown = localTime(zone, time);
      // The second time that clocks show an hour, the rest of it has been as well.
      let local = locals.upTo(shown + time - instantOf(zone, shown));
      while (local !== undefined && instantOf(zone, local) > time) local = locals.upTo(local - 1);
      return local === undefined ? undefined : instantOf(zone, local);
    },
  };
}

/** Goes from one change of the clocks to the next: between two, local times are true ones, moved. */
function beats(locals: Sequence, zone: Zone): Sequence {
  return {
    after: (time) => {
      for (let from = time + 1; ;) {
        const offset = zone.offsetAt(from);
        const local = locals.after(from + offset - 1);
        if (local === undefined) return undefined;
        const found = local - offset;
        const to = Math.min(found, from + DAY_MS);
        const change = changeIn(zone, from, to);
        if (change === undefined && to === found) return found;
        // Far ahead there may be changes on the way, and none of them makes it due before that.
        from = change ?? Math.max(to, found - DAY_MS / 2);
      }
    },
    upTo: (time) => {
      for (let to = time; ;) {
        const offset = zone.offsetAt(to);
        const local = locals.upTo(to + offset);
        if (local === undefined) return undefined;
        const found = local - offset;
        const from = Math.max(found, to - DAY_MS);
        const change = changeIn(zone, from, to);
        if (change === undefined && from === found) return found;
        to = change === undefined ? Math.min(from, found + DAY_MS / 2) : change - 1;
      }
    },
  };
}

/** What is due whenever any of them is. */
export function merged(all: readonly Occurrences[]): Occurrences {
  return {
    after: (time) => inOrder(all.map((one) => one.after(time)))[0],
    upTo: (time) => inOrder(all.map((one) => one.upTo(time))).at(-1),
  };
}

function inOrder(times: readonly (Date | undefined)[]): Date[] {
  return times.filter((time) => time !== undefined).toSorted((one, other) => one.getTime() - other.getTime());
}
