import type { Message } from './notice.js';

/** The way to a channel. */
export interface Sender {
  readonly reporter: 'slack' | 'email';
  /**
   * Sends a message, in one try.
   *
   * @param signal aborted when nobody waits for it any longer
   * @throws {DeliveryError}
   */
  send(message: Message, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface DeliveryErrorOptions {
  /** May the same message be taken later? */
  readonly mayPass: boolean;
  /** Not before so many milliseconds. */
  readonly retryAfter?: number | undefined;
}

/**
 * A message was not delivered. It says so in our own words, and has no cause: what a channel or the network says may hold
 * the webhook or the password.
 */
export class DeliveryError extends Error {
  readonly mayPass: boolean;
  readonly retryAfter: number;

  constructor(message: string, { mayPass, retryAfter = 0 }: DeliveryErrorOptions) {
    super(message);
    this.mayPass = mayPass;
    this.retryAfter = retryAfter;
  }
}

/** How deep a chain of causes is looked into. */
const MAX_CAUSES = 5;

/** The code that something was thrown with, where it is a plain word: `ECONNREFUSED`. */
export function codeOf(thrown: unknown, depth = 0): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || depth > MAX_CAUSES) return undefined;
  const code: unknown = 'code' in thrown ? thrown.code : undefined;
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code)) return code;
  return 'cause' in thrown ? codeOf(thrown.cause, depth + 1) : undefined;
}
