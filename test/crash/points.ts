import type { Lost } from './breaking-connection.js';

/** How many points of a matrix are tried at once: most of the time they wait. */
const AT_ONCE = 8;

/** After which request a service is cut off, and what of it is lost. */
export interface Point {
  readonly count: number;
  readonly lost: Lost;
}

/**
 * Lives a life again for each of its requests and what may be lost of it.
 *
 * @param requests how many the whole life has
 * @param live rejects where something does not hold
 * @returns how many of these lives there were
 */
export async function cutOffEverywhere(
  requests: number,
  live: (point: Point) => Promise<void>,
): Promise<number> {
  const points = Array.from({ length: requests }, (_, index) => index + 1).flatMap((count) =>
    (['answer', 'request'] as const).map((lost) => ({ count, lost })),
  );
  const total = points.length;
  const attempt = async (): Promise<void> => {
    for (let point = points.shift(); point !== undefined; point = points.shift()) {
      try {
        await live(point);
      } catch (error) {
        throw new Error(`with the ${point.lost} of request ${point.count} lost`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, attempt));
  return total;
}
