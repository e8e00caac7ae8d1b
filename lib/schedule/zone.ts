/**
 * A time zone. Local times are numbers here: the milliseconds that the same time of day would have in UTC. That makes
 * plain arithmetic of them, and leaves what is odd about clocks to {@link instantOf}.
 */
export interface Zone {
  /** What a time has to be moved by to be the local one, in milliseconds. */
  offsetAt(time: number): number;
}

export const DAY_MS = 86_400_000;

const LONGEST_NAME = 64;
const known = new Map<string, Zone>();

/**
 * @param name one of the IANA database, such as `America/New_York`, or `UTC`; the case of its letters does not matter
 * @returns undefined for what is not the name of a zone; offsets like `+05:30` are none
 */
export function zoneOf(name: unknown): Zone | undefined {
  if (typeof name !== 'string' || name.length > LONGEST_NAME || !/^[A-Za-z]/.test(name)) return undefined;
  const key = name.toLowerCase();
  const zone = known.get(key) ?? makeZone(name);
  if (zone !== undefined) known.set(key, zone); // no more than there are zones: others never come this far
  return zone;
}

function makeZone(name: string): Zone | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    if (format.resolvedOptions().timeZone === 'UTC') return { offsetAt: () => 0 };
    return { offsetAt: (time) => offsetIn(format.format(time)) };
  } catch {
    return undefined; // a RangeError: there is no such zone
  }
}

/** @param text ends like `GMT-04:00`; `GMT` alone means none; long ago there were seconds as well */
function offsetIn(text: string): number {
  const [, sign, hours = 0, minutes = 0, seconds = 0] = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
  const size = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -size : size;
}

export function localTime(zone: Zone, time: number): number {
  return time + zone.offsetAt(time);
}

/**
 * When clocks come to show this time: the first time, where they are put back and show it twice; the moment at which
 * they are put forward, where that passes it over. Later local times never come before earlier ones.
 */
export function instantOf(zone: Zone, local: number): number {
  const before = zone.offsetAt(local - DAY_MS);
  const change = changeIn(zone, local - DAY_MS, local + DAY_MS);
  if (change === undefined || local < change + before) return local - before;
  return Math.max(change, local - zone.offsetAt(change));
}

/**
 * The first moment that has another offset than `from`, where it is not after `to`. Clocks are taken to be changed once
 * at most between the two: they should not be more than a few days apart.
 */
export function changeIn(zone: Zone, from: number, to: number): number | undefined {
  const offset = zone.offsetAt(from);
  if (zone.offsetAt(to) === offset) return undefined;
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (zone.offsetAt(middle) === offset) low = middle;
    else high = middle;
  }
  return high;
}
