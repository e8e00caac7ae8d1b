import { Readable } from 'node:stream';

import { sleep } from '../clock.js';
import type { Clock } from '../clock.js';
import { toError } from '../errors.js';
import type { LiveEvents } from './api.js';
import type { LiveViewer } from './live-service.js';
import type { Redactor } from './redactor.js';

/** Proxies end what is silent for a minute, often. */
const BEAT_MS = 20_000;
/** In bytes: who is behind by that much is dropped, and asks again for what is then. */
const MOST_BEHIND = 1024 * 1024;
/** Who is behind by no more than that is sent what is longer than the limit by itself: a job's document, say. */
const HARDLY_BEHIND = 64 * 1024;
/** How long a browser waits before it asks again. */
const RETRY_MS = 2000;

export interface EventStreamOptions {
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Whether whoever listens may still do so: asked now and then. */
  readonly isAdmitted: () => Promise<boolean>;
  /** How many bytes the answer itself has taken that are not sent. */
  readonly unsent: () => number;
}

/** What is pushed to one browser: server-sent events. */
export class EventStream implements LiveViewer {
  /** The body of the answer; it is closed when nobody listens any more. */
  readonly body: Readable;
  readonly #options: EventStreamOptions;
  readonly #closed = new AbortController();

  constructor(options: EventStreamOptions) {
    this.#options = options;
    this.body = new Readable({ read: () => undefined });
    this.body.once('close', () => {
      this.#closed.abort();
    });
    this.#push(`retry: ${String(RETRY_MS)}\n\n`);
    this.#beat().catch((error: unknown) => {
      this.body.destroy(toError(error)); // whoever was to say whether it is still admitted has failed
    });
  }

  tell<Name extends keyof LiveEvents>(name: Name, data: LiveEvents[Name]): void {
    this.#push(`event: ${name}\ndata: ${this.#options.redactor.toText(data)}\n\n`);
  }

  /** There is nothing more to come. */
  end(): void {
    if (this.#isOpen()) this.body.push(null);
  }

  #isOpen(): boolean {
    return !this.body.destroyed && !this.body.readableEnded && !this.#closed.signal.aborted;
  }

  #push(text: string): void {
    if (!this.#isOpen()) return;
    const behind = this.body.readableLength + this.#options.unsent();
    if (behind > HARDLY_BEHIND && behind + Buffer.byteLength(text) > MOST_BEHIND) this.body.destroy();
    else this.body.push(text);
  }

  async #beat(): Promise<void> {
    const { clock, isAdmitted } = this.#options;
    const { signal } = this.#closed;
    while (this.#isOpen()) {
      await sleep(clock, BEAT_MS, signal);
      if (!this.#isOpen()) return;
      if (await isAdmitted()) this.#push(': still here\n\n');
      else this.end();
    }
  }
}
