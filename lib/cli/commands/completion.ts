import { Argument } from 'commander';
import type { Command } from 'commander';

import { oneOf } from '../arguments.js';
import type { Run } from './leaf.js';
import { examples } from './leaf.js';

const SHELLS = ['bash', 'zsh', 'fish'];

/** Completion by a shell. */
export function declareCompletion(program: Command, run: Run): void {
  const command = program
    .command('completion')
    .description('Print what makes a shell complete the words of oada-jobs')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS).argParser(oneOf(SHELLS)))
    .action((shell: string) =>
      run(async (cli) => {
        const { printScript } = await import('../actions/completion.js');
        printScript(cli, shell);
      }),
    );
  examples(command, 'completion bash > ~/.local/share/bash-completion/completions/oada-jobs');
  program
    .command('__complete', { hidden: true })
    .description('Print how the last of the words can go on; for the scripts of `completion`')
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action((words: string[]) =>
      run(async (cli) => {
        const { printCandidates } = await import('../actions/completion.js');
        await printCandidates(cli, program, words);
      }),
    );
}
