import { expect, test } from 'vitest';

import { tokensOf } from '../../../lib/dashboard/page/elements/json-tokens.js';

const VALUE = { name: 'a "quoted" \\ text', n: -1.5e3, yes: true, none: null, list: ['1', 2] };

function told(text: string): string[] {
  return tokensOf(text).flatMap((token) => (token.kind === 'none' ? [] : [`${token.kind} ${token.text}`]));
}

test('names, strings and other values are told apart', () => {
  expect(told(JSON.stringify(VALUE))).toEqual([
    'name "name":',
    String.raw`text "a \"quoted\" \\ text"`,
    ...['name "n":', 'value -1500', 'name "yes":', 'value true', 'name "none":', 'value null'],
    ...['name "list":', 'text "1"', 'value 2'],
  ]);
});

test('a string that is cut is one up to the end, wherever it is cut', () => {
  const text = JSON.stringify(VALUE);
  for (let end = 0; end <= text.length; end++) {
    const cut = text.slice(0, end);
    expect(
      tokensOf(cut)
        .map((token) => token.text)
        .join(''),
    ).toBe(cut);
  }
  expect(told(String.raw`{"a": "b \"c\" d\ `.trim())).toEqual([
    'name "a":',
    String.raw`text "b \"c\" d\ `.trim(),
  ]);
});

test('a string full of quotes is looked at once, and what is very long has no colours', () => {
  const quotes = JSON.stringify('"'.repeat(150_000)).slice(0, 199_999);
  expect(tokensOf(quotes)).toEqual([{ kind: 'text', text: quotes }]);
  const long = JSON.stringify('1'.repeat(200_000));
  expect(tokensOf(long)).toEqual([{ kind: 'none', text: long }]);
});
