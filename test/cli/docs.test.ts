import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';

import { EXIT } from '../../lib/cli/exit-codes.js';
import { createProgram } from '../../lib/cli/program.js';

const text = readFileSync(fileURLToPath(new URL('../../docs/reference/cli.md', import.meta.url)), 'utf8');
const program = createProgram(async () => {});

interface Leaf {
  /** Like `queues add <queue> [address]`. */
  readonly usage: string;
  readonly command: Command;
}

/** Those that do something, and are no secret. */
function leavesOf(command: Command, path: readonly string[] = []): Leaf[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.flatMap((child): Leaf[] => {
    if (child.name() === 'help') return [];
    const names = [...path, child.name()];
    if (child.commands.length > 0) return leavesOf(child, names);
    const args = child.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    });
    return [{ usage: [...names, ...args].join(' '), command: child }];
  });
}

const leaves = leavesOf(program);

/** The part of the document below a heading. */
function sectionOf(heading: string): string {
  const [, rest = ''] = text.split(`\n${heading}\n`);
  return rest.split(/^#{1,3} /m)[0] ?? '';
}

/** The first column of a table, as far as it is code. */
function codesIn(section: string): string[] {
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, code = '']) => code);
}

const COMMON = codesIn(sectionOf('## Which store'));

/** The options as the section of a command tells of them. */
function documented(section: string): string[] {
  const store = section.includes('[store options](#which-store)') ? COMMON : [];
  const service = section.includes('and `--service`') ? ['-s, --service <name>'] : [];
  return [...store, ...service, ...codesIn(section)].toSorted();
}

describe('docs/reference/cli.md', () => {
  it('tells of each command, and of none that is not there', () => {
    const headings = [...text.matchAll(/^### `oada-jobs (.+)`$/gm)].map(([, usage = '']) => usage);
    expect(leaves.length).toBeGreaterThan(25);
    expect(headings).toEqual(leaves.map(({ usage }) => usage));
  });

  it.each(leaves.map(({ usage, command }) => [usage, command] as const))(
    'tells of the options of `%s`, and of no others',
    (usage, command) => {
      const section = sectionOf(`### \`oada-jobs ${usage}\``);
      const flags = command.options.map((option) => option.flags).filter((flag) => flag !== '--json');
      expect(documented(section)).toEqual(flags.toSorted());
    },
  );

  it('says that every command takes --json, but for one', () => {
    const without = leaves.filter(({ command }) => command.options.every(({ long }) => long !== '--json'));
    expect(without.map(({ usage }) => usage)).toEqual(['completion <shell>']);
    expect(text).toMatch(/`--json`, which every command but `completion` takes/);
  });

  it('has the exit codes as they are', () => {
    const rows = [...sectionOf('## Exit codes').matchAll(/^\| (\d+) +\| `(\w+)` /gm)];
    expect(Object.fromEntries(rows.map(([, code, name]) => [name, Number(code)]))).toEqual(EXIT);
  });

  it('shows commands that are understood, and no token', () => {
    const lines = [...text.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) => block.split('\n'));
    const calls = lines.flatMap((line) => /oada-jobs ((?:[\w-]+ ?)+)/.exec(line)?.[1]?.trim() ?? []);
    expect(calls.length).toBeGreaterThan(15);
    for (const call of calls) {
      expect(
        leaves.some(({ usage }) => call.startsWith(usage.split(/ [<[]/)[0] ?? '')),
        call,
      ).toBe(true);
    }
    expect(lines.filter((line) => line.includes('--token '))).toEqual([]);
  });
});
