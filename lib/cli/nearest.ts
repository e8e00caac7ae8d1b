import { distance } from '../options.js';

/** Did you mean this one? Undefined where none is alike. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [first] = known.toSorted((one, other) => distance(name, one) - distance(name, other));
  return first !== undefined && distance(name, first) <= name.length / 2 ? first : undefined;
}
