import type { Command } from 'commander';

import { candidatesFor } from '../completion.js';
import type { KnownNames } from '../completion.js';
import { SCRIPTS } from '../completion-scripts.js';
import { readConfigFile } from '../config-file.js';
import type { Environment } from '../config-file.js';
import { CliError } from '../failure.js';
import type { Invocation } from '../invocation.js';

export function printScript({ output }: Invocation, shell: string): void {
  for (const line of (SCRIPTS[shell] ?? '').trimEnd().split('\n')) output.line(line);
}

export async function printCandidates(
  { output, environment }: Invocation,
  program: Command,
  words: readonly string[],
): Promise<void> {
  const known = await knownNames(environment, words);
  for (const { value, summary } of candidatesFor(program, words, known)) output.fields(value, summary);
}

/** Nobody is asked. */
async function knownNames(environment: Environment, words: readonly string[]): Promise<KnownNames> {
  const given = words[words.indexOf('--config-file') + 1];
  const path = words.includes('--config-file') ? given : undefined;
  const service = environment['OADA_JOBS_SERVICE'] ?? '';
  const own = service === '' ? [] : [service];
  try {
    const { stores } = await readConfigFile(path, environment);
    const services = [...stores.values()].flatMap((store) => store.service ?? []);
    return { stores: [...stores.keys()], services: [...own, ...services] };
  } catch (error) {
    if (error instanceof CliError) return { stores: [], services: own }; // a command will tell what is wrong with the file
    throw error;
  }
}
