import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';

import { createProgram } from '../../lib/cli/program.js';
import { EVENT_NAMES } from '../setup.js';
import { documents, textOf } from './documents.js';

const pages = documents.filter((document) => document !== 'CHANGELOG.md');

/** @param others pages where it means something else */
function found(pattern: RegExp, others: readonly string[] = []): { page: string; name: string }[] {
  return pages
    .filter((page) => !others.includes(page))
    .flatMap((page) => [...textOf(page).matchAll(pattern)].map(([, name = '']) => ({ page, name })));
}

/** The first column of the tables of a page: other tests compare these with the code. */
function rowsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^\| `(\w+)` +\|/gm)].map(([, name = '']) => name);
}

/** What the words after `oada-jobs` come down to. */
function commandOf(words: readonly string[]): Command | undefined {
  let command: Command | undefined = createProgram(async () => {});
  for (const word of words) {
    const next: Command | undefined = command.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    command = next;
  }
  return command.commands.length === 0 ? command : undefined;
}

describe('what the documents name, there is:', () => {
  it('events', () => {
    const kinds = new Set(EVENT_NAMES.map((name) => name.split(':')[0] ?? ''));
    const named = found(/`([a-z]+:[a-z]+)`/g).filter(({ name }) => kinds.has(name.split(':')[0] ?? ''));
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ name }) => !EVENT_NAMES.some((known) => known === name))).toEqual([]);
  });

  it('codes of errors', () => {
    const errors = textOf('docs/reference/errors.md');
    const known = [...errors.matchAll(/^\| `(OADA_\w+)`/gm)].map(([, code = '']) => code);
    const named = found(/\b(OADA_(?:JOBS|SERVER)_[A-Z_]*[A-Z])\b(?!_)/g);
    const variables = ['OADA_JOBS_LOGGING', 'OADA_JOBS_SERVICE'];
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ name }) => ![...known, ...variables].includes(name))).toEqual([]);
  });

  it('metrics', () => {
    const known = [...rowsOf('docs/operating/metrics.md'), ...rowsOf('docs/operating/dashboard.md')];
    const named = found(/\b(oada_jobs_[a-z_]+)\b/g).filter(({ name }) => name !== 'oada_jobs_');
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter(({ name }) => !known.includes(name.replace(/_(bucket|count|sum)$/, '')))).toEqual([]);
  });

  it('commands of oada-jobs, with their options', () => {
    // In code: up to its end, the end of the line, or what a shell takes for the end of a command.
    const calls = found(/(?<=[`\n] *(?:npx |job=\$\()?)oada-jobs ([^`\n|;&#)]+)/g, [
      'docs/operating/metrics.md',
    ]).filter(({ name }) => !/^--(help|version)|^-/.test(name));
    expect(calls.length).toBeGreaterThan(60);
    for (const { page, name } of calls) {
      const words = name.trim().split(/\s+/);
      const command = commandOf(words);
      expect(command, `${page}: oada-jobs ${name}`).toBeDefined();
      const flags = words.filter((word) => /^--?[a-z]/.test(word));
      const known = command?.options.flatMap(({ long, short }) => [long, short]);
      expect(known, `${page}: oada-jobs ${name}`).toEqual(expect.arrayContaining(flags));
    }
  });
});
