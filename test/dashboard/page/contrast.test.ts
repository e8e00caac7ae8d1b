import { readFile } from 'node:fs/promises';

import { beforeAll, describe, expect, test } from 'vitest';

type Scheme = 'light' | 'dark';

/** What WCAG 2 asks for of text, at level AA. */
const LEAST = 4.5;

let colours: ReadonlyMap<string, Readonly<Record<Scheme, string>>>;

beforeAll(async () => {
  const url = new URL('../../../lib/dashboard/page/styles/tokens.css', import.meta.url);
  const pattern = /--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g;
  const found = [...(await readFile(url, 'utf8')).matchAll(pattern)];
  colours = new Map(found.map(([, name = '', light = '', dark = '']) => [name, { light, dark }]));
});

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function of(name: string, scheme: Scheme): string {
  const colour = colours.get(name);
  if (colour === undefined) throw new Error(`There is no colour --${name}`);
  return colour[scheme];
}

const TEXT = ['ink', 'muted', 'accent', 'success', 'failure', 'running', 'waiting', 'warning'];
const GROUNDS = ['ground', 'surface', 'sunken', 'raised'];
const PAIRS: readonly (readonly [string, string])[] = [
  ...TEXT.flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)),
  ['on-accent', 'accent'],
  ['on-state', 'failure'],
  ['on-bar', 'bar'],
  ['on-bar', 'bar-active'],
  ['bar-muted', 'bar'],
  ['bar-muted', 'bar-active'],
];

describe.each(['light', 'dark'] as const)('in %s colours', (scheme) => {
  test.each(PAIRS)('%s can be read on %s', (text, ground) => {
    expect(contrast(of(text, scheme), of(ground, scheme))).toBeGreaterThanOrEqual(LEAST);
  });
});
