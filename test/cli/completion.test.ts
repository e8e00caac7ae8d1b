import { execFileSync } from 'node:child_process';

import { expect, it } from 'vitest';

import { SCRIPTS } from '../../lib/cli/completion-scripts.js';

/** What the script asks for, and what it offers, where bash has split the line into words. */
function completed(
  words: readonly string[],
  values: readonly string[],
): { asked: string[]; offered: string[] } {
  const given = ['oada-jobs', ...words];
  const quoted = (texts: readonly string[]): string => texts.map((text) => `'${text}'`).join(' ');
  const script = [
    `oada-jobs() { printf '[%s]' "\${@:3}" >&3; printf '%s\\tx\\n' ${quoted(values)}; }`,
    SCRIPTS['bash'],
    `COMP_WORDS=(${quoted(given)}) COMP_CWORD=${String(words.length)}`,
    'exec 3>&1; _oada_jobs; wait',
    String.raw`printf '\n'; printf '[%s]' "${'$'}{COMPREPLY[@]}"`,
  ].join('\n');
  // The second line is what is offered.
  const [asked = '', offered = ''] = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).split('\n');
  const listOf = (text: string): string[] => [...text.matchAll(/\[([^\]]*)\]/g)].map(([, word = '']) => word);
  return { asked: listOf(asked), offered: listOf(offered) };
}

it.each([
  [['list', '--st'], ['--store'], ['list', '--st'], ['--store']],
  [['list', '--store', '=', 'fa'], ['--store=farm'], ['list', '--store=fa'], ['farm']],
  [
    ['list', '--store', '='],
    ['--store=farm', '--store=test'],
    ['list', '--store='],
    ['farm', 'test'],
  ],
  [
    ['list', '--store', '=', 'farm', '--type', 'x', ''],
    ['pending'],
    ['list', '--store=farm', '--type', 'x', ''],
    ['pending'],
  ],
  // Where bash was told not to split there.
  [['list', '--store=fa'], ['--store=farm'], ['list', '--store=fa'], ['--store=farm']],
])('bash completes %j', (words, values, asked, offered) => {
  expect(completed(words, values)).toEqual({ asked, offered });
});
