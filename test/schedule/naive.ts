/**
 * Cron as its definition reads: by looking at the clock on the wall, minute after minute. Slow, and without a thought of
 * its own about changes of the clocks.
 */

export const MINUTE = 60_000;
export const DAY = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();
const walls = new Map<string, Map<number, number>>();

/** The local time, in the milliseconds that it would have in UTC. */
export function wallTime(timeZone: string, time: number): number {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      ...{
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      },
    } as const);
  formats.set(timeZone, format);
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
  const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type)!;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

/** The same, kept: many a test looks at the same few days. */
function shownAt(timeZone: string, time: number): number {
  const known = walls.get(timeZone) ?? new Map<number, number>();
  walls.set(timeZone, known);
  const wall = known.get(time) ?? wallTime(timeZone, time);
  known.set(time, wall);
  return wall;
}

function matchesField(field: string, value: number, least: number, most: number): boolean {
  return field.split(',').some((piece) => {
    const [range, step = '1'] = piece.split('/');
    const [from, to = from] = range === '*' ? [least, most] : range!.split('-').map(Number);
    return value >= from! && value <= to! && (value - from!) % Number(step) === 0;
  });
}

function valuesOf(field: string, least: number, most: number): Set<number> {
  const values = Array.from({ length: most - least + 1 }, (_, index) => least + index);
  return new Set(values.filter((value) => matchesField(field, value, least, most)));
}

/** @param pattern of 5 fields, of digits, `*`, `,`, `-` and `/` */
function matcherOf(pattern: string): (wall: number) => boolean {
  const [minute, hour, day, month, weekday] = pattern.split(' ');
  const [minutes, hours] = [valuesOf(minute!, 0, 59), valuesOf(hour!, 0, 23)];
  const [days, months, weekdays] = [valuesOf(day!, 1, 31), valuesOf(month!, 1, 12), valuesOf(weekday!, 0, 6)];
  return (wall) => {
    const date = new Date(wall);
    const byDay = days.has(date.getUTCDate());
    const byWeekday = weekdays.has(date.getUTCDay());
    return (
      minutes.has(date.getUTCMinutes()) &&
      hours.has(date.getUTCHours()) &&
      months.has(date.getUTCMonth() + 1) &&
      (day !== '*' && weekday !== '*' ? byDay || byWeekday : byDay && byWeekday)
    );
  };
}

/** All that is due from the one time up to the other, both on the minute. */
export function naiveOccurrences(pattern: string, timeZone: string, from: number, to: number): number[] {
  const isBeat = pattern
    .split(' ')
    .slice(0, 2)
    .some((field) => /[*/]/.test(field));
  const matches = matcherOf(pattern);
  const due: number[] = [];
  // Looked at from a day before on, so as to know what has been shown already.
  let shown = shownAt(timeZone, from - DAY);
  for (let time = from - DAY + MINUTE; time <= to; time += MINUTE) {
    const wall = shownAt(timeZone, time);
    // Times of the day are due as soon as the clock shows a later time than ever before that is theirs or after it.
    let isDue = isBeat && matches(wall);
    if (!isBeat) for (let at = shown + MINUTE; at <= wall; at += MINUTE) isDue ||= matches(at);
    if (isDue && time >= from) due.push(time);
    shown = Math.max(shown, wall);
  }
  return due;
}

/** The starts of the days (UTC) in which clocks are changed. */
export function changeDays(timeZone: string, from: number, to: number): number[] {
  const days: number[] = [];
  for (let day = from; day < to; day += DAY) {
    if (wallTime(timeZone, day + DAY) - wallTime(timeZone, day) !== DAY) days.push(day);
  }
  return days;
}
