import type { Argument, Command, Option } from 'commander';

/** How a word can go on. */
export interface Candidate {
  readonly value: string;
  readonly summary: string;
}

/** What the config file and the environment know. */
export interface KnownNames {
  readonly stores: readonly string[];
  readonly services: readonly string[];
}

/** Where the words have led to. */
interface Place {
  readonly command: Command;
  /** How many arguments were given to it. */
  readonly count: number;
  /** The option whose value comes next. */
  readonly option: Option | undefined;
}

/**
 * How the last of the words can go on; none where the shell knows better, such as the names of files.
 *
 * @param words those behind `oada-jobs`; the last is the one to complete, perhaps empty
 */
export function candidatesFor(program: Command, words: readonly string[], known: KnownNames): Candidate[] {
  const last = words.at(-1) ?? '';
  const { command, count, option } = placeOf(program, words.slice(0, -1));
  const [, name, value] = /^(--[\w-]+)=(.*)$/s.exec(last) ?? [];
  if (option !== undefined) return startingWith(last, valuesOf(option, known));
  if (name !== undefined && value !== undefined) {
    const values = valuesOf(optionNamed(command, name), known);
    return startingWith(
      last,
      values.map(({ value: one, summary }) => ({ value: `${name}=${one}`, summary })),
    );
  }
  if (last.startsWith('-')) return startingWith(last, optionsOf(command));
  return startingWith(last, [...commandsOf(command), ...choicesOf(command.registeredArguments, count)]);
}

function placeOf(program: Command, words: readonly string[]): Place {
  let place: Place = { command: program, count: 0, option: undefined };
  for (const word of words) {
    const { command, count } = place;
    const child = command.commands.find((one) => one.name() === word);
    if (place.option !== undefined) place = { ...place, option: undefined };
    else if (word.startsWith('-')) place = { ...place, option: takingValue(optionNamed(command, word)) };
    else if (child !== undefined) place = { command: child, count: 0, option: undefined };
    else place = { ...place, count: count + 1 };
  }
  return place;
}

function optionNamed({ options }: Command, word: string): Option | undefined {
  return options.find(({ short, long }) => word === short || word === long);
}

function takingValue(option: Option | undefined): Option | undefined {
  return option?.required === true ? option : undefined;
}

function valuesOf(option: Option | undefined, { stores, services }: KnownNames): Candidate[] {
  switch (option?.long) {
    case '--store':
    case '--from-store':
      return named(stores, 'store');
    case '--service':
      return named(services, 'service');
    default:
      return named(option?.argChoices ?? [], '');
  }
}

function named(values: readonly string[], summary: string): Candidate[] {
  return [...new Set(values)].map((value) => ({ value, summary }));
}

function optionsOf(command: Command): Candidate[] {
  const shown = command.createHelp().visibleOptions(command);
  return shown.flatMap(({ long, description }) =>
    long === undefined ? [] : [{ value: long, summary: description }],
  );
}

function commandsOf(command: Command): Candidate[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.map((one) => ({ value: one.name(), summary: one.description() }));
}

function choicesOf(args: readonly Argument[], index: number): Candidate[] {
  return named(args[index]?.argChoices ?? [], '');
}

function startingWith(start: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(start));
}
