import { toMilliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import { ConfigError } from '../errors.js';
import type { Job } from '../job.js';
import type { JsonObject } from '../json.js';
import { checkNames, expected, wholeNumber } from '../options.js';
import type { WorkerOptions } from '../worker.js';

/** What is run for a job, and how. */
export interface CommandSettings<Config extends object = JsonObject> {
  /** The program: a name that is looked for in PATH, or a path. Never a line for a shell. */
  readonly command: string;
  /** Its arguments, each handed over as it is. What a function of the job throws is the job's failure. @defaultValue none */
  readonly args?: readonly string[] | ((job: Job<Config>) => readonly string[]);
  /** What its standard input holds: the job's config as JSON, or nothing. @defaultValue 'config', with `configInEnv` 'none' */
  readonly input?: 'config' | 'none';
  /** The variable of its environment that holds the job's config as JSON. @defaultValue none */
  readonly configInEnv?: string;
  /** Variables of its environment, besides those that every command gets. @defaultValue {} */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of variables that it gets as this process has them, besides those that every command gets. @defaultValue [] */
  readonly inheritEnv?: readonly string[];
  /** The folder that it runs in. @defaultValue that of this process */
  readonly cwd?: string;
  /** What its standard output holds: text, or the job's result as JSON. @defaultValue 'text' */
  readonly output?: 'text' | 'json';
  /** How much of each output is kept, in bytes, at most 10 MiB: the last part, since errors come last. @defaultValue 65536 */
  readonly maxOutput?: number;
  /** The exit statuses that mean success. @defaultValue [0] */
  readonly successCodes?: readonly number[];
  /** How long it may take to end when it is asked to (SIGTERM) before it is killed (SIGKILL). @defaultValue '5s' */
  readonly killAfter?: Duration;
}

/** What is registered for a job type whose jobs are done by a command. */
export interface CommandOptions<Config extends object = JsonObject>
  extends CommandSettings<Config>, Omit<WorkerOptions, 'timeout' | 'grace'> {
  /** How long one run may take, or `Infinity`. @defaultValue '2m' */
  readonly timeout?: Duration;
}

export interface ResolvedCommand<Config extends object> {
  readonly command: string;
  readonly args: (job: Job<Config>) => readonly string[];
  readonly input: 'config' | 'none';
  readonly configInEnv: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: readonly string[];
  readonly cwd: string | undefined;
  readonly output: 'text' | 'json';
  readonly maxOutput: number;
  readonly successCodes: ReadonlySet<number>;
  readonly killAfter: number;
}

const MAX_OUTPUT = 10 * 1024 * 1024;

type Defaulted = 'timeout' | 'env' | 'inheritEnv' | 'output' | 'maxOutput' | 'successCodes' | 'killAfter';

export const commandDefaults: Readonly<Required<Pick<CommandOptions, Defaulted>>> = Object.freeze({
  timeout: '2m',
  env: {},
  inheritEnv: [],
  output: 'text',
  maxOutput: 64 * 1024,
  successCodes: [0],
  killAfter: '5s',
});

const settingNames = [
  'command',
  'args',
  'input',
  'configInEnv',
  'env',
  'inheritEnv',
  'cwd',
  'output',
  'maxOutput',
  'successCodes',
  'killAfter',
];

/**
 * What of the options is the worker's, and what is left.
 *
 * @throws {ConfigError} they are no object
 */
export function splitOptions<Rest extends object>(
  options: Omit<WorkerOptions, 'timeout' | 'grace'> & { readonly timeout?: Duration } & Rest,
): { worker: WorkerOptions; settings: Omit<Rest, Exclude<keyof WorkerOptions, 'grace'>> } {
  checkObject(options);
  const { timeout = commandDefaults.timeout, config, retries, concurrency, ...settings } = options;
  const worker = {
    timeout,
    ...(config !== undefined && { config }),
    ...(retries !== undefined && { retries }),
    ...(concurrency !== undefined && { concurrency }),
  };
  return { worker, settings };
}

/** @throws {ConfigError} */
export function checkObject(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw expected('options', 'an object', options);
}

/** @throws {ConfigError} */
export function resolveCommand<Config extends object>(
  settings: CommandSettings<Config>,
): ResolvedCommand<Config> {
  checkObject(settings);
  checkNames(settings, settingNames);
  const { command, args = [], configInEnv, cwd } = settings;
  const { input = configInEnv === undefined ? 'config' : 'none' } = settings;
  const { env = commandDefaults.env, inheritEnv = commandDefaults.inheritEnv } = settings;
  const { output = commandDefaults.output, maxOutput = commandDefaults.maxOutput } = settings;
  const { successCodes = commandDefaults.successCodes, killAfter = commandDefaults.killAfter } = settings;
  checkText('command', 'the name or the path of a program', command);
  if (cwd !== undefined) checkText('cwd', 'the path of a folder', cwd);
  if (configInEnv !== undefined) checkVariable('configInEnv', configInEnv);
  checkChoice('input', input, ['config', 'none']);
  checkChoice('output', output, ['text', 'json']);
  return Object.freeze({
    command,
    input,
    configInEnv,
    cwd,
    output,
    args: resolveArgs(args),
    env: resolveEnv(env),
    inheritEnv: resolveNames(inheritEnv),
    maxOutput: resolveMaxOutput(maxOutput),
    successCodes: resolveCodes(successCodes),
    killAfter: toMilliseconds(killAfter, 'killAfter'),
  });
}

function resolveArgs<Config extends object>(
  args: readonly string[] | ((job: Job<Config>) => readonly string[]),
): (job: Job<Config>) => readonly string[] {
  if (typeof args === 'function') return args;
  checkArgs(args);
  const fixed = [...args];
  return () => fixed;
}

/** @throws {ConfigError} they cannot be given to a process. What they hold is not told: it may come from a job. */
export function checkArgs(args: unknown): void {
  if (!Array.isArray(args)) throw expected('args', 'a list of texts', typeof args);
  const list: readonly unknown[] = args;
  const wrong = list.findIndex((argument) => typeof argument !== 'string' || argument.includes('\0'));
  if (wrong < 0) return;
  throw new ConfigError(
    `expected \`args[${wrong}]\` to be text without null characters, got ${typeof list[wrong]}`,
  );
}

function resolveEnv(env: unknown): Readonly<Record<string, string>> {
  if (typeof env !== 'object' || env === null) throw expected('env', 'an object of texts', env);
  const entries = Object.entries(env).map(([name, value]: [string, unknown]): [string, string] => {
    checkVariable('env', name);
    if (typeof value === 'string' && !value.includes('\0')) return [name, value];
    // Not the value itself, which may well be a secret.
    throw new ConfigError(`expected \`env.${name}\` to be text without null characters, got ${typeof value}`);
  });
  return Object.fromEntries(entries);
}

function resolveNames(names: unknown): readonly string[] {
  if (!Array.isArray(names)) throw expected('inheritEnv', 'a list of names of variables', names);
  const list: readonly unknown[] = names;
  return list.map((name) => checkVariable('inheritEnv', name));
}

function checkVariable(option: string, name: unknown): string {
  if (typeof name === 'string' && /^[^=\0]+$/.test(name)) return name;
  throw expected(option, 'the name of a variable of the environment', name);
}

function resolveMaxOutput(bytes: unknown): number {
  const whole = wholeNumber('maxOutput', bytes);
  if (whole <= MAX_OUTPUT) return whole;
  throw expected('maxOutput', `at most ${MAX_OUTPUT} bytes`, bytes);
}

function resolveCodes(codes: unknown): ReadonlySet<number> {
  const list: readonly unknown[] = Array.isArray(codes) ? codes : [];
  const numbers = list.filter((code) => typeof code === 'number' && Number.isSafeInteger(code) && code >= 0);
  if (numbers.length === 0 || numbers.length < list.length)
    throw expected('successCodes', 'a list of exit statuses, as [0]', codes);
  return new Set(numbers.map(Number));
}

function checkText(name: string, what: string, value: unknown): void {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw expected(name, what, value);
}

function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (typeof value === 'string' && choices.includes(value)) return;
  throw expected(name, choices.map((choice) => `'${choice}'`).join(' or '), value);
}
