import { setMaxListeners } from 'node:events';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

import type { Clock } from '../clock.js';

/** Somebody who has signed in. */
export interface Session {
  /** To be sent with what changes something: pages of others do not know it. */
  readonly csrfToken: string;
  /** Aborted when the session is over. */
  readonly over: AbortSignal;
}

interface KeptSession extends Session {
  readonly end: AbortController;
  /** By the monotonic clock. */
  expires: number;
}

const MOST_SESSIONS = 1000;

/** Those who have signed in, in memory: a restart signs all of them out. */
export class Sessions {
  readonly #clock: Clock;
  readonly #timeout: number;
  /** By hashes of their ids, the one that was used last at the end. */
  readonly #sessions = new Map<string, KeptSession>();

  /** @param timeout in milliseconds, from the last request on */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** @returns the id, which only its browser is told */
  create(): string {
    const id = secret();
    const end = new AbortController();
    setMaxListeners(0, end.signal); // each page that is open listens
    const expires = this.#clock.monotonic() + this.#timeout;
    this.#sessions.set(hashOf(id), { csrfToken: secret(), over: end.signal, end, expires });
    for (const [hash, session] of this.#sessions) {
      if (this.#sessions.size <= MOST_SESSIONS && session.expires > this.#clock.monotonic()) break;
      this.#forget(hash, session);
    }
    return id;
  }

  /** That of an id, which goes on from now; undefined where there is none, or it is over. */
  find(id: string | undefined): Session | undefined {
    const hash = hashOf(id ?? '');
    const session = this.#sessions.get(hash);
    if (session === undefined) return undefined;
    const now = this.#clock.monotonic();
    if (session.expires <= now) {
      this.#forget(hash, session);
      return undefined;
    }
    session.expires = now + this.#timeout;
    this.#sessions.delete(hash);
    this.#sessions.set(hash, session);
    return session;
  }

  end(id: string | undefined): void {
    const hash = hashOf(id ?? '');
    const session = this.#sessions.get(hash);
    if (session !== undefined) this.#forget(hash, session);
  }

  #forget(hash: string, { end }: KeptSession): void {
    this.#sessions.delete(hash);
    end.abort();
  }
}

/** Nobody guesses it. */
export function secret(): string {
  return randomBytes(32).toString('base64url');
}

/** Takes as long for any two texts. */
export function isSame(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(one)), Buffer.from(hashOf(other)));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
