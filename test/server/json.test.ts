import fc from 'fast-check';
import { expect, test } from 'vitest';

import { asJson, stringify, toJson, toNode } from '../../lib/server/json.js';
import type { Json } from '../../lib/server/json.js';

/** What it returns, as text: the order of its keys counts; or the name of what it throws. */
function outcomeOf(make: () => unknown): string {
  try {
    return JSON.stringify(make());
  } catch (error) {
    return (error as Error).name;
  }
}

test('a copy is what JSON makes of a value, be it what it may', () => {
  const anything = fc.anything({
    ...{ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withSet: true },
    ...{ withNullPrototype: true, withSparseArray: true, withTypedArray: true, withObjectString: true },
    key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toJSON', '')),
  });
  fc.assert(
    fc.property(anything, (value) => {
      const copy = outcomeOf(() => asJson(value));
      expect(copy).toBe(outcomeOf(() => JSON.parse(JSON.stringify(value))));
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ['a date', new Date(0), '1970-01-01T00:00:00.000Z'],
  ['what says itself how it is written', { toJSON: () => ({ a: 1 }) }, { a: 1 }],
  ['a map', { a: new Map([[1, 2]]) }, { a: {} }],
  ['numbers that JSON lacks', [Number.NaN, Infinity, -0], [null, null, 0]],
  ['what is left out', { a: undefined, b: () => 1, c: [undefined] }, { c: [null] }],
])('%s is copied as JSON has it', (_name, value, expected) => {
  expect(asJson(value)).toStrictEqual(expected);
});

test('a copy shares nothing with what it was made of', () => {
  const value = { list: [{ a: 1 }], deep: { b: { c: 2 } } };
  const copy = asJson(value) as typeof value;
  copy.list[0]!.a = 9;
  copy.deep.b.c = 9;
  expect(value).toEqual({ list: [{ a: 1 }], deep: { b: { c: 2 } } });
});

test('what goes in a circle, or too deep for JSON to be stored, is told as JSON tells it', () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  expect(() => asJson(circle)).toThrow(TypeError);
  let deep: Json = 1;
  for (let depth = 0; depth < 2000; depth++) deep = [deep];
  expect(JSON.stringify(asJson(deep))).toBe(JSON.stringify(deep));
});

test('a document is written as it is copied, with the keys that stand over its own', () => {
  const json = fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'a', 'b')), fc.jsonValue());
  fc.assert(
    fc.property(json, fc.option(json, { nil: undefined }), (own, over) => {
      const [node, above] = [
        toNode(own as Record<string, Json>),
        over && toNode(over as Record<string, Json>),
      ];
      const copy = toJson(node, above);
      expect(JSON.parse(stringify(node, above))).toStrictEqual(JSON.parse(JSON.stringify(copy)));
      expect(copy).toEqual(JSON.parse(JSON.stringify({ ...own, ...over })));
    }),
  );
});
