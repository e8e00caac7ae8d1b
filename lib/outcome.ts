import {
  assertNever,
  JobCancelledError,
  JobError,
  JobLostError,
  JobTimeoutError,
  toError,
} from './errors.js';
import { InvalidJobError, UnknownJobTypeError } from './errors.js';
import type { Json, JsonObject } from './json.js';

/** How a run ended. */
export type Outcome =
  | { readonly kind: 'success'; readonly result: Json | undefined }
  | { readonly kind: 'failure'; readonly error: Error; readonly failureType: string | undefined }
  /** The work function asks to be run again after so many milliseconds. */
  | { readonly kind: 'retry'; readonly delay: number }
  /** The service stopped; the job is run again. */
  | { readonly kind: 'interrupted' };

/** What a job is filed with. */
export type FinalOutcome = Extract<Outcome, { kind: 'success' | 'failure' }>;
export type Failure = Extract<Outcome, { kind: 'failure' }>;

/** The failure that something thrown stands for. */
export function failure(thrown: unknown): Failure {
  const error = toError(thrown);
  const type = failureType(error);
  return { kind: 'failure', error, failureType: type === '' ? undefined : type };
}

function failureType(error: Error): string | undefined {
  if (error instanceof JobTimeoutError) return 'timeout';
  if (error instanceof JobCancelledError) return 'cancelled';
  if (error instanceof JobLostError) return 'lost';
  if (error instanceof InvalidJobError) return 'invalid';
  if (error instanceof UnknownJobTypeError) return 'unknown-type';
  if (error instanceof JobError) return error.type;
  // A time limit of the work function's own, or an error of another copy of this package, as `JobError` of 2 to 5 is.
  const { name, JobError: type } = fieldsOf(error);
  if (typeof type === 'string') return type;
  return name === 'TimeoutError' ? 'timeout' : undefined;
}

export interface FinalRecordOptions {
  readonly stacks: boolean;
  /** Hides what must not be stored. */
  readonly redact: (text: string) => string;
}

/** What is written on the job when it has come to its end. */
export function finalRecord(outcome: FinalOutcome, options: FinalRecordOptions): JsonObject {
  switch (outcome.kind) {
    case 'success':
      return {
        status: 'success',
        ...(outcome.result !== undefined && { result: outcome.result }),
      };
    case 'failure':
      return {
        status: 'failure',
        result: errorRecord(outcome.error, options),
        ...(outcome.failureType !== undefined && {
          failureType: wellFormed(options.redact(outcome.failureType).slice(0, MAX_FAILURE_TYPE)),
        }),
      };
    default:
      return assertNever(outcome);
  }
}

/** How deep a chain of causes is told. */
const MAX_CAUSES = 5;
const MAX_TEXT = 10_000;
const MAX_FAILURE_TYPE = 200;

function errorRecord(error: Error, options: FinalRecordOptions, depth = 0): JsonObject {
  // Redacted first: of a secret that is cut in two, a half would stay.
  const text = (value: string): string => options.redact(value).slice(0, MAX_TEXT);
  const { name, message, stack, cause, code, JobError: marked } = fieldsOf(error);
  const type = error instanceof JobError ? error.type : marked;
  return {
    name: text(toText(name)),
    message: text(toText(message)),
    ...((typeof code === 'string' || typeof code === 'number') && { code: text(String(code)) }),
    ...(typeof type === 'string' && { JobError: text(type) }), // where producers of 2 to 5 look for it
    ...(options.stacks && typeof stack === 'string' && { stack: text(stack) }),
    ...(cause instanceof Error && depth < MAX_CAUSES && { cause: errorRecord(cause, options, depth + 1) }),
  };
}

/** Of a character that takes two, a half may be left where a text was cut: no path can name it. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Cs}/gu, '\uFFFD');
}

const FIELDS = ['name', 'message', 'stack', 'cause', 'code', 'JobError'] as const;

/** An error's fields can be anything, and reading one may throw. */
function fieldsOf(error: Error): Partial<Record<(typeof FIELDS)[number], unknown>> {
  return Object.fromEntries(
    FIELDS.map((key): [string, unknown] => {
      try {
        return [key, Reflect.get(error, key)];
      } catch {
        return [key, undefined]; // a getter that fails
      }
    }),
  );
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : toError(value).message;
}

/** The error, or where it shows what must not be shown, one like it that does not. */
export function redactedError(error: Error, redact: (text: string) => string, depth = 0): Error {
  const { name, message, stack, cause, code } = fieldsOf(error);
  const hidden = (value: unknown): boolean => typeof value === 'string' && redact(value) !== value;
  const inner =
    cause instanceof Error && depth < MAX_CAUSES ? redactedError(cause, redact, depth + 1) : cause;
  if (![name, message, stack, code, cause].some(hidden) && inner === cause) return error;
  const text = (value: unknown): string => redact(toText(value));
  const like = new Error(text(message), inner instanceof Error ? { cause: inner } : undefined);
  like.name = text(name);
  if (typeof stack === 'string') like.stack = redact(stack);
  return like;
}
