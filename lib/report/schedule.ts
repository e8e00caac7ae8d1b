import { Cron } from 'croner';

import { ConfigError, toError } from '../errors.js';
import { expected } from '../options.js';

/** When a report's periods end. */
export interface Occurrences {
  /** The first after that time. */
  after(time: Date): Date;
  /** The last that is not after that time; undefined where there is none. */
  upTo(time: Date): Date | undefined;
}

/**
 * @param frequency cron, of 5 or 6 fields; the first of 6 are the seconds
 * @param timeZone a name of the IANA database, such as `America/New_York`
 * @param now for a pattern that is never due to be told from one that is
 * @throws {ConfigError}
 */
export function occurrencesOf(frequency: unknown, timeZone: unknown, now: Date): Occurrences {
  const fields = typeof frequency === 'string' ? frequency.trim().split(/\s+/) : [];
  if (typeof frequency !== 'string' || fields.length < 5 || fields.length > 6) {
    throw expected('frequency', "cron of 5 or 6 fields, like '0 0 7 * * *'", frequency);
  }
  if (typeof timeZone !== 'string' || timeZone === '') {
    throw expected('timeZone', "the name of a time zone, like 'America/New_York'", timeZone);
  }
  try {
    // Without a function to call, it only computes.
    const cron = new Cron(frequency, { timezone: timeZone, mode: '5-or-6-parts', paused: true });
    const occurrences = {
      after: (time: Date) => {
        const next = cron.nextRun(time);
        if (next === null) throw new RangeError(`'${frequency}' is never due`);
        return next;
      },
      // What it looks back from is not part of what it finds.
      upTo: (time: Date) => cron.previousRuns(1, new Date(time.getTime() + 1))[0],
    };
    occurrences.after(now);
    return occurrences;
  } catch (error) {
    throw new ConfigError(
      `expected \`frequency\` and \`timeZone\` to be cron and the name of a time zone, got \`${frequency}\` ` +
        `and \`${timeZone}\`: ${toError(error).message}`,
    );
  }
}
