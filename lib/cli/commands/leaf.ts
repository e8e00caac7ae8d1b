import { Option } from 'commander';
import type { Command } from 'commander';

import type { Invocation } from '../invocation.js';

/** Runs what a command does: that is loaded only then. */
export type Run = (command: (cli: Invocation) => Promise<void>) => Promise<void>;

const STORE_OPTIONS = 'Store options:';

/** A command that prints something for people, or for programs. */
export function leaf(parent: Command, name: string, summary: string): Command {
  return parent.command(name).description(summary).option('--json', 'print JSON: one object in each line');
}

/** One that talks to a store. */
export function storeLeaf(parent: Command, name: string, summary: string): Command {
  return withStore(leaf(parent, name, summary));
}

/** One that is about a service. */
export function serviceLeaf(parent: Command, name: string, summary: string): Command {
  const command = leaf(parent, name, summary);
  const service = new Option('-s, --service <name>', 'the service; or OADA_JOBS_SERVICE').helpGroup(
    STORE_OPTIONS,
  );
  return withStore(command.addOption(service));
}

/** A command of commands. */
export function group(parent: Command, name: string, summary: string): Command {
  return parent.command(name).description(summary);
}

function withStore(command: Command): Command {
  const options = [
    new Option('--store <name>', 'the store, as the config file calls it'),
    new Option('--domain <address>', 'the store, by its address; or OADA_DOMAIN'),
    new Option('--token-file <file>', 'the file that holds the token, `-` for stdin; or OADA_TOKEN'),
    new Option('--token <token>', 'the token: other users of the machine can see it there'),
    new Option('--config-file <file>', 'the config file, in place of ~/.config/oada-jobs/config.json'),
  ];
  for (const option of options) command.addOption(option.helpGroup(STORE_OPTIONS));
  return command;
}

/** What stands below the help of a command. */
export function examples(command: Command, ...lines: readonly string[]): void {
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ oada-jobs ${line}`).join('\n')}`);
}
