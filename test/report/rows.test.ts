import { ConfigError } from '@oada/jobs';
import type { JsonObject } from '@oada/jobs';
import { expect, test } from 'vitest';

import { resolveReport } from '../../lib/report/options.js';
import { endingAt, endingOf, placeOf, rowOf } from '../../lib/report/row.js';
import type { Row } from '../../lib/report/row.js';
import { optionsOf } from './setup.js';

const NOW = new Date('2024-01-01T00:00:00Z');
const SUCCESS = { status: 'success', failureType: undefined } as const;

function cell(pointer: string, job: JsonObject): unknown {
  return row({ Cell: pointer }, job)['Cell'];
}

function row(
  jobMappings: Record<string, string>,
  job: JsonObject,
  ending: Parameters<typeof rowOf>[2] = SUCCESS,
): Row {
  return rowOf(resolveReport(optionsOf({ reportConfig: { jobMappings } }), NOW), job, ending);
}

test.each([
  ['/a/b/1/c', 7],
  ['/a/b', [1, { c: 7 }]],
  ['/x~1y', 'slash'],
  ['/x~0y', 'tilde'],
  ['/', 'nameless'],
  ['/no', false],
  ['/nothing', null],
  ['/a/b/2', ''],
  ['/a/b/-', ''],
  ['/a/b/01', ''],
  ['/a/b/length', ''],
  ['/a/b/1/c/d', ''],
  ['/text/0', ''],
  ['/text/length', ''],
  ['/toString', ''],
  ['/constructor/name', ''],
  ['/__proto__', ''],
  ['/__proto__/toString', ''],
])('the pointer %s gives what the document itself holds', (pointer, expected) => {
  const job = {
    a: { b: [1, { c: 7 }] },
    'x/y': 'slash',
    'x~y': 'tilde',
    '': 'nameless',
    no: false,
    nothing: null,
    text: 'abc',
  };
  expect(cell(pointer, job)).toEqual(expected);
});

test('what a document hides behind __proto__ is its own', () => {
  expect(cell('/__proto__/x', JSON.parse('{"__proto__":{"x":1}}') as JsonObject)).toBe(1);
  expect(Object.prototype).not.toHaveProperty('x');
});

test('a link stays text, lest the store follows it; so does the whole job', () => {
  expect(cell('/config/to', { config: { to: { _id: 'resources/other', _rev: 4 } } })).toBe(
    '{"_id":"resources/other","_rev":4}',
  );
  expect(cell('', { _id: 'resources/mine', _meta: { _id: 'resources/mine/_meta' } })).toContain('"_meta"');
});

test('what is too large or too deep for a report is left out', () => {
  expect(cell('/config', { config: 'x'.repeat(200_000) })).toBe('(too large for a report)');
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as JsonObject;
  expect(cell('/config', { config: deep })).toBe('(too large for a report)');
});

test('a column named __proto__ is one like others', () => {
  const mappings = JSON.parse('{"__proto__":"/a"}') as Record<string, string>;
  expect(Object.entries(row(mappings, { a: 1 }))).toEqual([['__proto__', 1]]);
});

test.each([
  [{ status: 'success' }, 'Fine'],
  [{ status: 'success', failureType: 'left from before' }, 'Fine'],
  [{ status: 'failure' }, 'No idea'],
  [{ status: 'failure', failureType: 'timeout' }, 'Late'],
  [{ status: 'failure', failureType: 'toString' }, 'Other Error'],
  [{ status: 'failure', failureType: 'success' }, 'No idea'],
  [{ status: 'failure', failureType: 7 }, 'No idea'],
])('the ending of %j is told as %s', (job, expected) => {
  const errorMappings = { success: 'Fine', unknown: 'No idea', timeout: 'Late' };
  const options = optionsOf({ reportConfig: { jobMappings: { Status: 'errorMappings' }, errorMappings } });
  expect(rowOf(resolveReport(options, NOW), job, endingOf(job, undefined))).toEqual({ Status: expected });
});

test('the ending is told in words of our own where the report has none', () => {
  expect(row({ Status: 'errorMappings' }, {})['Status']).toBe('Success');
  const failed = { status: 'failure', failureType: undefined } as const;
  expect(row({ Status: 'errorMappings' }, {}, failed)['Status']).toBe('Other Error');
});

test('a path in the lists tells the day, the key, and how the job ended', () => {
  expect(placeOf('/day-index/2024-01-01/mine')).toEqual({ before: '', date: '2024-01-01', key: 'mine' });
  expect(placeOf('/a/day-index/2024-01-01/x~1y/z')).toEqual({
    before: '/a',
    date: '2024-01-01',
    key: 'x/y/z',
  });
  expect(placeOf('/day-index/today/mine')).toBeUndefined();
  expect(placeOf('/day-index/2024-01-01/')).toBeUndefined();
  expect(endingAt('')).toEqual({ status: 'success', failureType: undefined });
  expect(endingAt('/custom-test')).toEqual({ status: 'failure', failureType: 'custom-test' });
});

test.each([
  [{ name: 'two words' }, /`name`/],
  [{ name: 'a/b' }, /`name`/],
  [{ name: '..' }, /`name`/],
  [{ name: '12' }, /`name`/],
  [{ name: '_meta' }, /`name`/],
  [{ name: 'constructor' }, /`name`/],
  [{ name: '__proto__' }, /`name`/],
  [{ name: '*' }, /`name`/],
  [{ name: undefined }, /`name`/],
  [{ frequency: 'daily' }, /`frequency`/],
  [{ frequency: '@daily' }, /`frequency`/],
  [{ frequency: '0 0 7 * * * 2030' }, /`frequency`/],
  [{ frequency: '99 * * * *' }, /`frequency`/],
  [{ frequency: '0 0 30 2 *' }, /never due/],
  [{ frequency: new Date() }, /`frequency`/],
  [{ timeZone: 'Nowhere/Land' }, /`timeZone`/],
  [{ timeZone: '' }, /`timeZone`/],
  [{ email: { from: 'me' } }, /`email`/],
  [{ filter: 'all' }, /`filter`/],
  [{ type: [] }, /`type`/],
  [{ type: ['a', 7] }, /`type`/],
  [{ sendEmpty: 'yes' }, /`sendEmpty`/],
  [{ reportConfig: { jobMappings: {} } }, /at least one column/],
  [{ reportConfig: { jobMappings: { A: 'config/first' } } }, /JSON pointer/],
  [{ reportConfig: { jobMappings: { A: '/a~2' } } }, /JSON pointer/],
  [{ reportConfig: { jobMappings: { A: 7 } } }, /text/],
  [{ reportConfig: { jobMappings: { _id: '/a' } } }, /reserved/],
  [{ reportConfig: { jobMappings: { A: '/a' }, errorMappings: { a: 7 } } }, /errorMappings/],
  [{ reportConfig: undefined }, /`reportConfig`/],
  [{ timezone: 'UTC' }, /did you mean `timeZone`/],
])('%j is refused', (options, message) => {
  const resolve = (): unknown => resolveReport({ ...optionsOf(), ...(options as object) }, NOW);
  expect(resolve).toThrow(ConfigError);
  expect(resolve).toThrow(message);
});

test('periods end in New York where nothing else is said', () => {
  const { timeZone: _, ...options } = optionsOf();
  expect(resolveReport(options, NOW).occurrences.after(NOW).toISOString()).toBe('2024-01-01T12:00:00.000Z');
});
