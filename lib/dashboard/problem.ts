import { ConfigError, IdempotencyError, JobsError, StoreError, toError } from '../errors.js';
import { isJsonObject } from '../json.js';
import type { Problem } from './api.js';

/** Why the dashboard refuses a request; each is explained in `docs/reference/errors.md`. */
export type DashboardCode =
  | 'OADA_JOBS_DASHBOARD_SIGN_IN'
  | 'OADA_JOBS_DASHBOARD_PASSWORD'
  | 'OADA_JOBS_DASHBOARD_TRIES'
  | 'OADA_JOBS_DASHBOARD_HOST'
  | 'OADA_JOBS_DASHBOARD_ORIGIN'
  | 'OADA_JOBS_DASHBOARD_READ_ONLY'
  | 'OADA_JOBS_DASHBOARD_REQUEST'
  | 'OADA_JOBS_DASHBOARD_NOT_FOUND'
  | 'OADA_JOBS_DASHBOARD_FULL'
  | 'OADA_JOBS_DASHBOARD_FAILED';

const STATUS: Readonly<Record<DashboardCode, number>> = {
  OADA_JOBS_DASHBOARD_SIGN_IN: 401,
  OADA_JOBS_DASHBOARD_PASSWORD: 401,
  OADA_JOBS_DASHBOARD_TRIES: 429,
  OADA_JOBS_DASHBOARD_HOST: 403,
  OADA_JOBS_DASHBOARD_ORIGIN: 403,
  OADA_JOBS_DASHBOARD_READ_ONLY: 403,
  OADA_JOBS_DASHBOARD_REQUEST: 400,
  OADA_JOBS_DASHBOARD_NOT_FOUND: 404,
  OADA_JOBS_DASHBOARD_FULL: 503,
  OADA_JOBS_DASHBOARD_FAILED: 500,
};

/** The answer to a request that is not done. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: DashboardCode;

  constructor(code: DashboardCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function notFound(what: string): Refusal {
  return new Refusal('OADA_JOBS_DASHBOARD_NOT_FOUND', `There is no ${what}.`);
}

/** For what says with a {@link ConfigError} that there is no such thing. */
export async function orNotFound<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ConfigError)
      throw new Refusal('OADA_JOBS_DASHBOARD_NOT_FOUND', capitalised(error.message));
    throw error;
  }
}

/** What people are told of an error, and with which HTTP status. Of what nobody expected, nothing but that. */
export function answerTo(thrown: unknown): { readonly status: number; readonly problem: Problem } {
  const error = toError(thrown);
  if (error instanceof Refusal) return { status: STATUS[error.code], problem: problemOf(error) };
  if (error instanceof JobsError) return { status: statusOf(error), problem: problemOf(error) };
  const status = isJsonObject(thrown) ? thrown['statusCode'] : undefined;
  if (typeof status === 'number' && status >= 400 && status < 500)
    return { status, problem: { code: 'OADA_JOBS_DASHBOARD_REQUEST', message: error.message } };
  return {
    status: 500,
    problem: {
      code: 'OADA_JOBS_DASHBOARD_FAILED',
      message: 'Something went wrong in the dashboard; its log says what.',
    },
  };
}

/** Of one of many things that were to be done. */
export function problemOf(thrown: unknown): Problem {
  const error = toError(thrown);
  if (error instanceof Refusal || error instanceof JobsError)
    return { code: error.code, message: error.message };
  return answerTo(error).problem;
}

function statusOf(error: JobsError): number {
  if (error instanceof IdempotencyError) return 409;
  if (!(error instanceof StoreError)) return 400;
  switch (error.code) {
    case 'OADA_JOBS_STORE_NOT_FOUND':
      return 404;
    case 'OADA_JOBS_STORE_CONFLICT':
      return 409;
    case 'OADA_JOBS_STORE_TIMEOUT':
      return 504;
    default:
      return 502;
  }
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
