import { readFile } from 'node:fs/promises';

import ts from 'typescript';
import { expect, test } from 'vitest';

import { EVENT_NAMES } from './setup.js';

async function source(path: string): Promise<string> {
  return await readFile(new URL(`../${path}`, import.meta.url), 'utf8');
}

/** The first column of all tables of a document. */
async function documented(path: string): Promise<string[]> {
  return [...(await source(path)).matchAll(/^\| `([^`]+)` +\|/gm)].map(([, name = '']) => name);
}

/** The names that a union of texts, or an interface, declares. */
async function declared(path: string, name: string): Promise<string[]> {
  const file = ts.createSourceFile(path, await source(path), ts.ScriptTarget.Latest);
  const found = file.statements.flatMap((statement): string[] => {
    if (
      ts.isTypeAliasDeclaration(statement) &&
      statement.name.text === name &&
      ts.isUnionTypeNode(statement.type)
    )
      return statement.type.types.map((type) => type.getText(file).slice(1, -1));
    if (ts.isInterfaceDeclaration(statement) && statement.name.text === name)
      return statement.members.map((member) => member.name!.getText(file).slice(1, -1));
    return [];
  });
  expect(found.length).toBeGreaterThan(3);
  return found;
}

test('every event is documented, and no other', async () => {
  const events = await declared('lib/events.ts', 'ServiceEvents');
  expect((await documented('docs/reference/events.md')).toSorted()).toEqual(events.toSorted());
  expect([...EVENT_NAMES].toSorted()).toEqual(events.toSorted());
});

test('every error code is documented, and no other', async () => {
  const codes = [
    ...(await declared('lib/errors.ts', 'ErrorCode')),
    ...(await declared('lib/server/errors.ts', 'ServerErrorCode')),
    ...(await declared('lib/dashboard/problem.ts', 'DashboardCode')),
  ];
  expect((await documented('docs/reference/errors.md')).toSorted()).toEqual(codes.toSorted());
});

test('each documented error code has the class that carries it', async () => {
  const text = await source('docs/reference/errors.md');
  const errors = await import('@oada/jobs');
  const classes = [...text.matchAll(/^\| `OADA_JOBS_[A-Z_]+` +\| `(\w+)` +\|/gm)];
  expect(classes.length).toBeGreaterThan(10);
  for (const [, name = ''] of classes) expect(errors).toHaveProperty(name);
});

test('every event that is documented is told somewhere', async () => {
  const files = [
    'service',
    'queue',
    'queue-entries',
    'dispatcher',
    'reader',
    'runner',
    'perform',
    'notify/finish-notices',
    'schedule/runs',
    'schedule/scheduler',
    'schedule/items',
    'report/report',
    'report/closing',
    'report/recording',
    'retention/retention',
  ];
  const text = (await Promise.all(files.map((file) => source(`lib/${file}.ts`)))).join();
  for (const name of EVENT_NAMES) expect(text.includes(`emit('${name}'`), name).toBe(true);
});
