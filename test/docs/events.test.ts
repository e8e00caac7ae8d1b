import { expect, it } from 'vitest';

import { Declarations } from './declarations.js';
import { textOf } from './documents.js';

const rows = [
  ...textOf('docs/reference/events.md').matchAll(/^\| `([a-z]+:[a-z]+)` +\| [^|]+\| +([^|]*)\|$/gm),
];
const declarations = new Declarations(['lib/events.ts']).partsOf('lib/events.ts', 'ServiceEvents');
/** What every event about a job has. */
const OF_JOBS = ['queue', 'key', 'jobId'];
/** What the rows tell of besides, in code as well: values, and calls. */
const VALUES = ['success', 'failure', 'retry', 'interrupted', 'queues', 'slack', 'email', 'scheduleEach'];

it.each(rows.map(([, name = '', told = '']) => ({ name, told })))(
  'what the event $name comes with is documented, and nothing else',
  ({ name, told }) => {
    const declared = (declarations.get(name) ?? []).map((property) => property.name);
    expect(declared.length).toBeGreaterThan(0);
    const isOfJob = OF_JOBS.every((one) => declared.includes(one));
    const expected = declared.filter((one) => !isOfJob || !OF_JOBS.includes(one));
    const named = [...told.replaceAll(/\{[^}]*\}/g, '').matchAll(/`(\w+)`/g)].map(([, one = '']) => one);
    const properties = new Set(named.filter((one) => !VALUES.includes(one)));
    expect([...properties].toSorted()).toEqual(expected.toSorted());
  },
);
