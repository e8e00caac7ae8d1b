/**
 * Adds the newest, and takes out the oldest that are more than so many: but none that is held, for as long as what it tells
 * of can be called off.
 */
export function withNewest<Toast extends { readonly isHeld: boolean }>(
  shown: readonly Toast[],
  newest: Toast,
  most: number,
): readonly Toast[] {
  let excess = shown.length + 1 - most;
  const kept = shown.filter(({ isHeld }) => isHeld || excess-- <= 0);
  return [...kept, newest];
}
