import { parseAttachment } from '@oada/jobs';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import type { Json } from '../../lib/json.js';
import { toCsv } from '../../lib/report/csv.js';

async function attached(columns: readonly string[], rows: readonly Record<string, Json>[]): Promise<string> {
  return Buffer.from(await toCsv(columns, rows)).toString('base64');
}

test('what is read back is what went in, whatever the cells hold', async () => {
  const special = fc.constantFrom(
    '=',
    '+',
    '-',
    '@',
    '\t',
    '\r',
    '\n',
    "'",
    '"',
    ',',
    '\uFF1D',
    ' ',
    'a',
    '',
  );
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: special }));
  const table = fc.uniqueArray(text, { minLength: 1, maxLength: 4 }).chain((columns) => {
    const row = fc
      .tuple(...columns.map(() => text))
      .map((cells) => Object.fromEntries(cells.map((cell, at) => [columns[at]!, cell])));
    return fc.tuple(fc.constant(columns), fc.array(row, { maxLength: 4 }));
  });
  await fc.assert(
    fc.asyncProperty(table, async ([columns, rows]) => {
      expect(parseAttachment(await attached(columns, rows))).toEqual(rows);
    }),
    { numRuns: 1000 },
  );
});

test('no cell is a formula', async () => {
  const cells = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\uFF1D1', "'=1"];
  const csv = await toCsv(
    ['=Column'],
    cells.map((cell) => ({ '=Column': cell })),
  );
  for (const line of csv.split('\r\n').slice(0, -1)) expect(line.startsWith(`"'`)).toBe(true);
  const rows = parseAttachment(Buffer.from(csv).toString('base64'));
  expect(rows.map((row) => row['=Column'])).toEqual(cells);
});

test('a number is left as it is, what is no text is JSON, and nothing is empty', async () => {
  const row = { a: -5, b: true, c: { d: [1, '=2'] }, e: null };
  const csv = await toCsv(['a', 'b', 'c', 'e', 'toString'], [row]);
  expect(csv.split('\r\n')[1]).toBe(`"-5","true","{""d"":[1,""=2""]}","",""`);
});

test('columns stand in their order, and a table without rows has its header', async () => {
  expect(await toCsv(['z', 'a', 'm'], [])).toBe('"z","a","m"\r\n');
  expect(parseAttachment(await attached(['z', 'a', 'm'], []))).toEqual([]);
  expect(Object.keys(parseAttachment(await attached(['z', 'a', 'm'], [{ a: 1 }]))[0]!)).toEqual([
    'z',
    'a',
    'm',
  ]);
});
