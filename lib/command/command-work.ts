import { systemClock } from '../clock.js';
import { JobError } from '../errors.js';
import { parseJson } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Logger } from '../logger.js';
import type { WorkerContext, WorkFunction } from '../worker.js';
import { environmentOf } from './environment.js';
import { checkArgs, resolveCommand } from './options.js';
import type { CommandSettings } from './options.js';
import { runProcess } from './process.js';
import type { Exit, StreamName } from './process.js';
import { piecesOf, tailOf, textOf } from './tail.js';
import type { Tail } from './tail.js';

/** The result of a job that a command has done, unless its output is JSON. */
export interface CommandResult {
  readonly exitCode: number;
  /** What it printed, or the end of that. */
  readonly stdout: string;
  readonly stderr: string;
  /** How many bytes came before what is kept of each; absent where all is kept. */
  readonly dropped?: Readonly<Partial<Record<'stdout' | 'stderr', number>>>;
  /** In milliseconds. */
  readonly duration: number;
}

const STREAMS = ['stdout', 'stderr'] as const;

/** The longest text of one update. As JSON a character takes up to six bytes, and an update at most 256 KiB. */
const MAX_UPDATE_LENGTH = 40_000;

type Output = Readonly<Record<StreamName, Tail>>;

/**
 * A work function that has a command do the job; {@link CommandSettings} say how. It is killed, with all that it has
 * started, when the job's time is up, the job is cancelled or the service stops. Fails with a `JobError` of type `exit`,
 * `signal`, `spawn` or `output`; what the command has printed is then found in updates `output` of the job.
 *
 * @throws {ConfigError} an option is wrong
 */
export function commandWork<Config extends object = JsonObject>(
  settings: CommandSettings<Config>,
): WorkFunction<Config> {
  const resolved = resolveCommand(settings);
  const { command, output: format, successCodes, maxOutput, cwd, killAfter } = resolved;
  return async (job, context): Promise<Json | CommandResult> => {
    const { jobId, log, signal } = context;
    const redact = redactor(context);
    const output = { stdout: tailOf(maxOutput), stderr: tailOf(maxOutput) };
    const since = systemClock.monotonic();
    try {
      const args = resolved.args(job);
      checkArgs(args);
      const config = JSON.stringify(job.config);
      const exit = await runProcess({
        command,
        args,
        cwd,
        killAfter,
        signal,
        clock: systemClock,
        env: environmentOf({ jobId, config }, resolved, process.env),
        input: resolved.input === 'config' ? config : undefined,
        onOutput: (name, chunk) => output[name].add(chunk),
      });
      signal.throwIfAborted();
      const exitCode = successOf(exit, command, successCodes);
      if (format === 'json') return jsonOf(output.stdout, command, maxOutput, redact);
      return resultOf(output, { exitCode, duration: Math.round(systemClock.monotonic() - since) }, redact);
    } finally {
      logOutput(output, log, redact);
    }
  };
}

/** The exit status that a command may end with. @throws {JobError} it ended otherwise */
function successOf(exit: Exit, command: string, successCodes: ReadonlySet<number>): number {
  const name = JSON.stringify(command);
  if (exit.kind === 'signal') {
    throw new JobError(`The command ${name} was killed by ${exit.signal}.`, { type: 'signal' });
  }
  if (successCodes.has(exit.exitCode)) return exit.exitCode;
  throw new JobError(`The command ${name} exited with status ${exit.exitCode}.`, { type: 'exit' });
}

function resultOf(
  output: Output,
  run: { readonly exitCode: number; readonly duration: number },
  redact: (text: string) => string,
): CommandResult {
  const stdout = output.stdout.read();
  const stderr = output.stderr.read();
  for (const name of STREAMS) output[name].clear();
  const dropped = {
    ...(stdout.dropped > 0 && { stdout: stdout.dropped }),
    ...(stderr.dropped > 0 && { stderr: stderr.dropped }),
  };
  return {
    ...run,
    stdout: redact(textOf(stdout.bytes)),
    stderr: redact(textOf(stderr.bytes)),
    ...(Object.keys(dropped).length > 0 && { dropped }),
  };
}

/** The JSON that was printed. @throws {JobError} it was none, or too long; what was printed is kept then */
function jsonOf(stdout: Tail, command: string, maxOutput: number, redact: (text: string) => string): Json {
  const { bytes, dropped } = stdout.read();
  const failed = (what: string): JobError =>
    new JobError(`The command ${JSON.stringify(command)} printed ${what}.`, { type: 'output' });
  if (dropped > 0) throw failed(`more than the ${maxOutput} bytes that are kept`);
  let json: Json;
  try {
    json = parseJson(redact(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    throw failed('what is no JSON'); // the parser's own message quotes it
  }
  stdout.clear();
  return json;
}

/** Puts what was printed, and is in no result, on the job. */
function logOutput(output: Output, log: Logger, redact: (text: string) => string): void {
  for (const stream of STREAMS) {
    const { bytes, dropped } = output[stream].read();
    output[stream].clear();
    let first = dropped > 0 ? { dropped } : {};
    for (const text of piecesOf(redact(textOf(bytes)), MAX_UPDATE_LENGTH)) {
      void log.info('output', { stream, text, ...first });
      first = {};
    }
  }
}

/** Hides the token of the store, should the command have come by it after all. */
function redactor({ oada }: WorkerContext): (text: string) => string {
  const token = oada.getToken();
  return (text) => (token === '' ? text : text.replaceAll(token, '[token]'));
}
