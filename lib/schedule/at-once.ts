/**
 * Does the work for each of the items, for so many of them at a time.
 *
 * @param isHopeless of a failure: none of the others would fare better, and those that have not begun are left
 * @throws the first failure, when all that has begun is over
 */
export async function doAtOnce<T>(
  count: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  isHopeless: (error: unknown) => boolean,
): Promise<void> {
  const waiting = [...items].values();
  const failures: unknown[] = [];
  const workOff = async (): Promise<void> => {
    for (const item of waiting) {
      if (failures.some(isHopeless)) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: count }, workOff));
  if (failures.length > 0) throw failures[0];
}
