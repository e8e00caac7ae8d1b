const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FIRST_DIGITS = 8;

/** The next text of the same length in the order of the digits. */
export function successor(key: string): string {
  let last = key.length - 1;
  while (last > 0 && key[last] === 'z') last--;
  const digit = DIGITS[DIGITS.indexOf(key[last] ?? '') + 1] ?? '0';
  return (key.slice(0, last) + digit).padEnd(key.length, '0');
}

/**
 * The time in a key, as clocks and stores make them (KSUID): the first 32 bits of 160, in seconds. Others may look the
 * same by chance, and give any time.
 *
 * @returns in milliseconds; undefined for what is no such key
 */
export function keyTime(key: string): number | undefined {
  if (!/^[0-9A-Za-z]{27}$/.test(key)) return undefined;
  let value = 0;
  for (const digit of key.slice(0, FIRST_DIGITS)) value = value * 62 + DIGITS.indexOf(digit);
  return (1_400_000_000 + Math.floor((value * 62 ** (27 - FIRST_DIGITS)) / 2 ** 128)) * 1000;
}
