import { InvalidArgumentError } from 'commander';

import { toMilliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import { toError } from '../errors.js';
import { isOwner } from '../paths.js';
import { nearest } from './nearest.js';

/** A length of time, like `90s`, `5m`, `30d`; checked, and left as it is. */
export function duration(text: string): Duration {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null)
    throw new InvalidArgumentError('It has to be a length of time, like 90s, 5m, 2h or 30d.');
  return lengthOf(Number(match[1]), match[2] ?? '');
}

function lengthOf(count: number, unit: string): Duration {
  switch (unit) {
    case 's':
      return `${count}s`;
    case 'm':
      return `${count}m`;
    case 'h':
      return `${count}h`;
    case 'd':
      return `${count}d`;
    default:
      return `${count}ms`;
  }
}

/** One that a timer can be set to. */
export function waitingTime(text: string): Duration {
  const given = duration(text);
  try {
    toMilliseconds(given, 'it');
    return given;
  } catch (error) {
    throw new InvalidArgumentError(`${toError(error).message}.`);
  }
}

export function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError('It has to be a whole number from 1.');
}

/** Of a page: the store is asked for each job of it. */
export function pageSize(text: string): number {
  const number = wholeNumber(text);
  if (number <= 1000) return number;
  throw new InvalidArgumentError('It can be 1000 at most; --all gives all pages.');
}

export function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError('It has to be a port: 0 (a free one) to 65535.');
}

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It has to be a number.');
}

/** In UTC. */
export function day(text: string): string {
  const time = new Date(`${text}T00:00:00Z`);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(time.getTime());
  if (isDay && time.toISOString().startsWith(text)) return text;
  throw new InvalidArgumentError('It has to be a day, like 2026-01-31.');
}

export function owner(text: string): string {
  if (isOwner(text)) return text;
  throw new InvalidArgumentError('It has to be a user, like users/ann.');
}

/** One of some words. */
export function oneOf(words: readonly string[]): (text: string) => string {
  return (text) => {
    if (words.includes(text)) return text;
    const alike = nearest(text, words);
    const hint = alike === undefined ? `It can be ${words.join(', ')}.` : `Did you mean ${alike}?`;
    throw new InvalidArgumentError(hint);
  };
}

/** To be given more than once. */
export function several(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
