const number = new Intl.NumberFormat('en');
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SKEW = 3 * SECOND;

/** With separators: `12,345`. */
export function count(value: number): string {
  return number.format(value);
}

/** `3 jobs`, `1 job`. */
export function counted(value: number, one: string, more = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : more}`;
}

/** Of milliseconds: `820 ms`, `3.4 s`, `2 min 5 s`, `3 h 20 min`. */
export function duration(milliseconds: number): string {
  if (milliseconds < SECOND) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 10 * SECOND) return `${(Math.floor(milliseconds / 100) / 10).toFixed(1)} s`;
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
  if (milliseconds < HOUR) return twoOf(milliseconds, [MINUTE, 'min'], [SECOND, 's']);
  if (milliseconds < DAY) return twoOf(milliseconds, [HOUR, 'h'], [MINUTE, 'min']);
  return twoOf(milliseconds, [DAY, 'd'], [HOUR, 'h']);
}

function twoOf(
  value: number,
  [large, its]: readonly [number, string],
  [small, other]: readonly [number, string],
): string {
  const whole = Math.floor(value / large);
  const rest = Math.floor((value % large) / small);
  return rest === 0 ? `${whole} ${its}` : `${whole} ${its} ${rest} ${other}`;
}

/** How long ago, or until then: `12 s ago`, `in 3 min`. */
export function relative(time: number, now: number): string {
  const distance = Math.abs(now - time);
  // Clocks of two machines differ, and ours ticks once a second.
  if (distance < SECOND || (time > now && distance < SKEW)) return 'now';
  const length = rough(distance);
  return time < now ? `${length} ago` : `in ${length}`;
}

function rough(milliseconds: number): string {
  if (milliseconds < MINUTE) return `${Math.floor(milliseconds / SECOND)} s`;
  if (milliseconds < HOUR) return `${Math.floor(milliseconds / MINUTE)} min`;
  if (milliseconds < DAY) return `${Math.floor(milliseconds / HOUR)} h`;
  const days = Math.floor(milliseconds / DAY);
  return days === 1 ? '1 day' : `${days} days`;
}

/** `2026-01-31 07:00:12 UTC`. */
export function absolute(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime())
    ? time
    : date
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, ' UTC');
}

/** Of the day, in UTC: `07:00:12`. */
export function clockTime(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : date.toISOString().slice(11, 19);
}

/** In UTC, like the day-indexes: `2026-01-31`. */
export function today(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}

const weekday = new Intl.DateTimeFormat('en', {
  timeZone: 'UTC',
  weekday: 'short',
  day: 'numeric',
  month: 'short',
});

/** `Sat, Jan 31`. */
export function dayName(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? day : weekday.format(date);
}

/** Of its resource, what tells it apart: `resources/abc` is `abc`. */
export function shortId(id: string): string {
  return id.replace(/^resources\//, '');
}

/** `users/sam` is `sam`. */
export function userName(owner: string): string {
  return owner.replace(/^users\//, '');
}

/** The other way round; both are taken, and nothing stays nothing. */
export function ownerOf(name: string): string {
  const user = userName(name.trim());
  return user === '' ? '' : `users/${user}`;
}

/** How much of it is done, from 0 to 1; undefined where nobody knows how much there is. */
export function shareOf({
  done,
  total,
}: {
  readonly done: number;
  readonly total?: number | undefined;
}): number | undefined {
  return total === undefined || total <= 0 ? undefined : Math.min(1, Math.max(0, done / total));
}
