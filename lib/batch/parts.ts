import { InvalidResultError } from '../errors.js';

/**
 * Does the work, and tells what comes of it for each of the jobs. Never rejects.
 *
 * @param count how many jobs there are
 */
export async function partsOf(count: number, work: () => unknown): Promise<PromiseSettledResult<unknown>[]> {
  const all = (value: unknown): unknown[] => Array.from({ length: count }, () => value);
  try {
    const returned = await work();
    const values: readonly unknown[] = Array.isArray(returned) ? returned : all(returned);
    // First: of promises that are too many, some may reject.
    const parts = await Promise.allSettled(values);
    if (parts.length !== count) throw wrongLength(count, parts.length);
    return parts.map((part) =>
      part.status === 'fulfilled' && part.value instanceof Error ? rejected(part.value) : part,
    );
  } catch (error) {
    return all(error).map(rejected);
  }
}

function rejected(reason: unknown): PromiseRejectedResult {
  return { status: 'rejected', reason };
}

function wrongLength(jobs: number, results: number): InvalidResultError {
  return new InvalidResultError(
    `the batch has ${jobs} job${jobs === 1 ? '' : 's'}, but its function returned an array of ${results}`,
  );
}
