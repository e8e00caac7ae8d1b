import { assertNever, JobError, JobsError, JobTimeoutError, toError } from './errors.js';
import { InvalidJobError, UnknownJobTypeError } from './errors.js';
import type { Json, JsonObject } from './json.js';

/** How a run ended. */
export type Outcome =
  | { readonly kind: 'success'; readonly result: Json | undefined }
  | { readonly kind: 'failure'; readonly error: Error; readonly failureType: string | undefined }
  /** The service stopped; the job is run again. */
  | { readonly kind: 'interrupted' };

/** The failure that something thrown stands for. */
export function failure(thrown: unknown): Outcome {
  const error = toError(thrown);
  return { kind: 'failure', error, failureType: failureType(error) };
}

function failureType(error: Error): string | undefined {
  if (error instanceof JobTimeoutError) return 'timeout';
  if (error instanceof InvalidJobError) return 'invalid';
  if (error instanceof UnknownJobTypeError) return 'unknown-type';
  return error instanceof JobError ? error.type : undefined;
}

export interface FinalRecordOptions {
  readonly stacks: boolean;
  /** Hides what must not be stored. */
  readonly redact: (text: string) => string;
}

/** What is written on the job when it has come to its end. */
export function finalRecord(
  outcome: Exclude<Outcome, { kind: 'interrupted' }>,
  options: FinalRecordOptions,
): JsonObject {
  switch (outcome.kind) {
    case 'success':
      return { status: 'success', ...(outcome.result !== undefined && { result: outcome.result }) };
    case 'failure':
      return {
        status: 'failure',
        result: errorRecord(outcome.error, options),
        ...(outcome.failureType !== undefined && { failureType: outcome.failureType }),
      };
    default:
      return assertNever(outcome);
  }
}

/** How deep a chain of causes is told. */
const MAX_CAUSES = 5;
const MAX_TEXT = 10_000;

function errorRecord(error: Error, options: FinalRecordOptions, depth = 0): JsonObject {
  const text = (value: string): string => options.redact(value.slice(0, MAX_TEXT));
  const { cause, stack } = error;
  const code = error instanceof JobsError ? error.code : 'code' in error ? error.code : undefined;
  return {
    name: text(error.name),
    message: text(error.message),
    ...((typeof code === 'string' || typeof code === 'number') && { code: text(String(code)) }),
    ...(options.stacks && stack !== undefined && { stack: text(stack) }),
    ...(cause instanceof Error && depth < MAX_CAUSES && { cause: errorRecord(cause, options, depth + 1) }),
  };
}
