import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { Events } from '../../lib/events.js';
import { FinishNotices, resolveFinishReporters } from '../../lib/notify/index.js';
import type { FinishNoticesOptions, FinishReporter } from '../../lib/notify/index.js';
import type { FiledJob } from '../../lib/notify/notice.js';
import type { ServiceEvents } from '@oada/jobs';
import { SMTPServer } from 'smtp-server';
import type { SMTPServerOptions } from 'smtp-server';
import { expect, onTestFinished } from 'vitest';

import { FakeClock } from '../fake-clock.js';
import { watchRejections } from '../setup.js';
import type { Stored } from '../setup.js';

export const HOOK_SECRET = 'T0/B0/hook-5ecret';

/** What comes in somewhere, in order. */
export class Received<Item> {
  readonly items: Item[] = [];
  readonly #waiting = new Set<() => void>();

  add(item: Item): void {
    this.items.push(item);
    for (const look of this.#waiting) look();
  }

  /** Resolves when that many have come. */
  count(wanted: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.items.length < wanted) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

export interface Webhook {
  readonly url: string;
  readonly posts: Received<Stored>;
  /** All that a post shows, as Slack takes it. */
  texts(): string[];
}

/** An incoming webhook as Slack has them; it is closed when the test is over. */
export async function startWebhook(
  answer: (response: ServerResponse, count: number) => void = (response) => response.end('ok'),
): Promise<Webhook> {
  const posts = new Received<Stored>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      expect(request.method).toBe('POST');
      expect(request.url).toBe(`/services/${HOOK_SECRET}`);
      expect(request.headers['content-type']).toBe('application/json');
      posts.add(JSON.parse(Buffer.concat(chunks).toString()));
      answer(response, posts.items.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}/services/${HOOK_SECRET}`,
    posts,
    texts: () => posts.items.map(textOf),
  };
}

export function textOf(post: Stored): string {
  return post.blocks.map(({ text }: Stored) => text.text).join('\n');
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: string;
  readonly text: string;
}

export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly mails: Received<Mail>;
}

/** A mail server; it is closed when the test is over. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails = new Received<Mail>();
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    allowInsecureAuth: true,
    onData: (stream, { envelope }, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString();
        const end = raw.indexOf('\r\n\r\n');
        const headers = raw.slice(0, end);
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        mails.add({ from, to, headers, text: decoded(headers, raw.slice(end + 4)) });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined); // a client that is gone
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = server.server.address() as AddressInfo;
  return { host: '127.0.0.1', port, mails };
}

function decoded(headers: string, body: string): string {
  const text = body.replaceAll('\r\n', '\n');
  const encoding = /^content-transfer-encoding: *(\S+)/im.exec(headers)?.[1];
  if (encoding === 'base64') return Buffer.from(text, 'base64').toString();
  if (encoding !== 'quoted-printable') return text;
  const bytes = text
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

/** The value of a header, unfolded. */
export function header({ headers }: Mail, name: string): string | undefined {
  const unfolded = headers.replace(/\r\n[ \t]/g, ' ');
  return new RegExp(`^${name}: (.*)$`, 'im').exec(unfolded)?.[1];
}

export function headerNames({ headers }: Mail): string[] {
  return headers.split('\r\n').flatMap((line) => /^([A-Za-z-]+):/.exec(line)?.slice(1) ?? []);
}

const ENDED: ServiceEvents['schedule:ended'] = {
  schedule: 'nightly',
  type: 'plough',
  notify: 'failure',
  occurrence: '2024-01-01T02:00:00.000Z',
  outcome: 'failure',
  failures: 1,
  before: 0,
  jobId: 'resources/abc',
  message: 'the share is worn',
};

export interface Notices {
  readonly notices: FinishNotices;
  readonly clock: FakeClock;
  readonly failures: Received<ServiceEvents['notice:failed']>;
  readonly file: (job?: Partial<FiledJob>) => void;
  /** An occurrence is over; it failed, for the first time, unless that is said. */
  readonly end: (occurrence?: Partial<ServiceEvents['schedule:ended']>) => void;
  readonly hold: (held?: Partial<ServiceEvents['schedule:held']>) => void;
}

/** Notices with a clock that stands still, told of jobs that nobody ran. */
export function makeNotices(
  reporters: readonly FinishReporter[],
  options: Partial<FinishNoticesOptions> = {},
): Notices {
  watchRejections();
  const events = new Events();
  const clock = new FakeClock();
  const failures = new Received<ServiceEvents['notice:failed']>();
  events.on('notice:failed', (event) => {
    failures.add(event);
  });
  const notices = new FinishNotices({
    service: 'tractor',
    reporters: resolveFinishReporters(reporters),
    events,
    clock,
    storeUrl: () => 'https://oada.example.org/',
    readJob: () => Promise.reject(new Error('nobody is to ask for it')),
    redact: (text) => text.replaceAll('t0ken', '[token]'),
    ...options,
  });
  const job: FiledJob = {
    queue: 'default',
    key: 'job-1',
    jobId: 'resources/abc',
    status: 'failure',
    type: 'plough',
    failureType: 'worn',
    path: '/bookmarks/services/tractor/jobs-failure/day-index/2024-01-01/job-1',
  };
  return {
    notices,
    clock,
    failures,
    file: (more = {}) => {
      events.emit('job:filed', { ...job, ...more });
    },
    end: (more = {}) => {
      events.emit('schedule:ended', { ...ENDED, ...more });
    },
    hold: (more = {}) => {
      events.emit('schedule:held', {
        ...{ schedule: 'nightly', type: 'plough', notify: 'failure', reason: 'no such field' },
        ...more,
      });
    },
  };
}

/** Resolves when the next thing that is waited for is a retry or the end of a stop, not an answer. */
export async function pausing(clock: FakeClock, atMost = 9999): Promise<void> {
  await expect.poll(() => clock.untilNext ?? Infinity, { interval: 5 }).toBeLessThanOrEqual(atMost);
}
