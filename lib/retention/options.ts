import { LONGEST_SPAN, toMilliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import { isJsonObject } from '../json.js';
import { checkNames, expected, wholeNumber } from '../options.js';
import type { FinalStatus } from '../paths.js';
import { DAY_MS } from './policy.js';
import type { ResolvedRetention, RetentionOptions } from './policy.js';

/**
 * @returns undefined where nothing is ever pruned
 * @throws {ConfigError}
 */
export function resolveRetention(options: RetentionOptions | undefined): ResolvedRetention | undefined {
  const given: unknown = options; // what comes from JavaScript may be anything
  if (given === undefined || options === undefined) return undefined;
  if (!isJsonObject(given)) throw expected('retention', "an object like { success: '30d' }", given);
  checkNames(options, ['success', 'failure', 'keep']);
  const { success, failure, keep } = options;
  const retention = Object.freeze<ResolvedRetention>({
    success: { age: ageOf('success', success), keep: keepOf('success', keep) },
    failure: { age: ageOf('failure', failure), keep: keepOf('failure', keep) },
  });
  const isLimited = Object.values(retention).some(({ age, keep }) => age < Infinity || keep < Infinity);
  return isLimited ? retention : undefined;
}

function ageOf(status: FinalStatus, duration: Duration | undefined): number {
  if (duration === undefined) return Infinity;
  const age = toMilliseconds(duration, `retention.${status}`, LONGEST_SPAN);
  // Whole days are pruned, and the last of them may still be written to.
  if (age < DAY_MS) throw expected(`retention.${status}`, "a time of at least a day, like '30d'", duration);
  return age;
}

function keepOf(status: FinalStatus, keep: unknown): number {
  if (isJsonObject(keep)) {
    checkNames(keep, ['success', 'failure']);
    return countOf(`retention.keep.${status}`, keep[status]);
  }
  return countOf('retention.keep', keep);
}

function countOf(name: string, value: unknown): number {
  return value === undefined || value === Infinity ? Infinity : wholeNumber(name, value);
}
