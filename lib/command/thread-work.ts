import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ResourceLimits } from 'node:worker_threads';

import type { Duration } from '../duration.js';
import { InvalidResultError, JobError } from '../errors.js';
import type { Job } from '../job.js';
import { isJsonObject, parseJson } from '../json.js';
import type { Json, JsonObject } from '../json.js';
import type { Logger } from '../logger.js';
import { checkNames, expected } from '../options.js';
import { retryIn } from '../retries.js';
import type { RetryRequest } from '../retries.js';
import type { WorkerContext, WorkerOptions, WorkFunction } from '../worker.js';
import { checkObject } from './options.js';
import { THREAD_BOOTSTRAP } from './thread-bootstrap.js';

/** Which script does a job, and what it may use. */
export interface ThreadSettings {
  /** The module: a URL, as `new URL('./press.js', import.meta.url)`, or an absolute path. */
  readonly script: URL | string;
  /** How much memory the thread may take, in MiB; one that takes more is ended. @defaultValue as much as Node gives it */
  readonly resourceLimits?: ResourceLimits;
}

/** What is registered for a job type whose jobs are done in a thread of their own. */
export interface ThreadOptions extends ThreadSettings, Omit<WorkerOptions, 'timeout' | 'grace'> {
  /** How long one run may take, or `Infinity`. @defaultValue '2m' */
  readonly timeout?: Duration;
}

/** What the script of a thread is given besides the job. */
export interface ThreadContext {
  /** The job's resource, like `resources/abc`. */
  readonly jobId: string;
  /** Writes updates to the job. A call never throws; its promise does not wait until they are stored. */
  readonly log: Pick<Logger, 'info' | 'error' | 'debug' | 'trace'>;
}

/** What the script of a thread exports by default. What it returns (JSON) is the job's result. */
export type ThreadFunction<Config extends object = JsonObject> = (
  job: ThreadJob<Config>,
  context: ThreadContext,
) => unknown;

/** A job as the script of a thread gets it: its data, a copy. */
export type ThreadJob<Config extends object = JsonObject> = Omit<Job<Config>, 'oadaId'>;

const LIMIT_NAMES = ['maxYoungGenerationSizeMb', 'maxOldGenerationSizeMb', 'codeRangeSizeMb', 'stackSizeMb'];

/**
 * A work function that does each job in a thread of its own, which keeps the service going whatever it computes. The
 * thread is ended when the job's time is up, the job is cancelled or the service stops, and when the work is done. A thread that
 * ends without a result is a `JobError` of type `exit`.
 *
 * @throws {ConfigError} an option is wrong
 */
export function threadWork<Config extends object = JsonObject>(
  settings: ThreadSettings,
): WorkFunction<Config> {
  checkObject(settings);
  checkNames(settings, ['script', 'resourceLimits']);
  const script = scriptUrl(settings.script);
  const resourceLimits = settings.resourceLimits ?? {};
  checkLimits(resourceLimits);
  return async (job, { jobId, log, signal }): Promise<Json | RetryRequest | undefined> => {
    signal.throwIfAborted();
    const worker = new Worker(THREAD_BOOTSTRAP, {
      eval: true,
      workerData: { script, jobId, job: Object.assign({}, job) },
      resourceLimits,
    });
    const terminate = (): void => void worker.terminate();
    signal.addEventListener('abort', terminate, { once: true });
    try {
      return await outcomeOf(worker, log);
    } finally {
      signal.removeEventListener('abort', terminate);
      await worker.terminate();
      signal.throwIfAborted();
    }
  };
}

function outcomeOf(worker: Worker, log: WorkerContext['log']): Promise<Json | RetryRequest | undefined> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: unknown) => {
      if (!isJsonObject(message)) return; // the script's own
      const { kind, json, delay, error } = message;
      try {
        if (kind === 'log') update(log, message);
        else if (kind === 'result') resolve(typeof json === 'string' ? parseJson(json) : undefined);
        else if (kind === 'retry') resolve(retryIn(Number(delay)));
        else if (kind === 'failure') reject(errorOf(error));
      } catch (mistake) {
        reject(mistake);
      }
    });
    worker.on('messageerror', () => reject(new InvalidResultError('it cannot be sent from the thread')));
    worker.on('error', reject);
    worker.on('exit', (code) => {
      reject(new JobError(`The thread ended with status ${code}, without a result.`, { type: 'exit' }));
    });
  });
}

function update(log: Logger, { level, status, meta }: JsonObject): void {
  if (typeof status !== 'string') return;
  const parsed = typeof meta === 'string' ? parseJson(meta) : undefined;
  if (level === 'error') void log.error(status, parsed);
  else if (level === 'debug') void log.debug(status, parsed);
  else if (level === 'trace') void log.trace(status, parsed);
  else void log.info(status, parsed);
}

/** The error as it was thrown in the thread, as far as it could be sent. */
function errorOf(sent: Json | undefined): Error {
  const { name, message, code, type, retry, stack, cause } = isJsonObject(sent) ? sent : {};
  const text = typeof message === 'string' ? message : '';
  const options = isJsonObject(cause) ? { cause: errorOf(cause) } : {};
  const kind = typeof type === 'string' ? { type } : {};
  if (name === 'JobError') return new JobError(text, { ...options, ...kind, retry: retry !== false });
  const error = new Error(text, options);
  if (typeof name === 'string') error.name = name;
  if (typeof stack === 'string') error.stack = stack;
  return code === undefined ? error : Object.assign(error, { code });
}

function scriptUrl(script: unknown): string {
  const what = 'a file: URL or an absolute path';
  if (script instanceof URL) {
    if (script.protocol === 'file:' || script.protocol === 'data:') return script.href;
  } else if (typeof script === 'string') {
    if (isAbsolute(script)) return pathToFileURL(script).href;
    if (/^(file|data):/.test(script) && URL.canParse(script)) return script;
  }
  throw expected('script', what, script instanceof URL ? script.href : script);
}

function checkLimits(limits: unknown): void {
  if (!isJsonObject(limits)) throw expected('resourceLimits', 'an object', limits);
  checkNames(limits, LIMIT_NAMES);
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value !== 'number' || !(value > 0))
      throw expected(`resourceLimits.${name}`, 'a number of MiB', value);
  }
}
