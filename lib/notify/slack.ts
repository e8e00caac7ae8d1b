import { assertNever } from '../errors.js';
import type { JsonObject } from '../json.js';
import { gatheredSummary, summary } from './notice.js';
import type { Message, Notice } from './notice.js';
import { scheduleFields, scheduleSummary } from './schedule-notice.js';
import type { ScheduleNotice } from './schedule-notice.js';
import { codeOf, DeliveryError } from './sender.js';
import type { Sender } from './sender.js';
import { cut } from './text.js';
import type { NoticePart } from './text.js';

/** What Slack takes in one block. */
const MAX_TEXT = 3000;
const MAX_WORD = 300;
const MAX_LINK = 1200;
/** The longest that Slack may have us wait. */
const MAX_RETRY_AFTER_MS = 60_000;

/** Posts to an incoming webhook. */
export function slackSender(posturl: string): Sender {
  return {
    reporter: 'slack',
    send: (message, signal) => post(posturl, slackPayload(message), signal),
    close: () => undefined,
  };
}

async function post(posturl: string, payload: JsonObject, signal: AbortSignal): Promise<void> {
  let answer: Response;
  try {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(payload);
    // A webhook moves nowhere; who says so may be anybody.
    answer = await fetch(posturl, { method: 'POST', headers, body, signal, redirect: 'manual' });
  } catch (error) {
    throw new DeliveryError(`The webhook could not be reached (${codeOf(error) ?? 'no connection'})`, {
      mayPass: true,
    });
  }
  const { status } = answer;
  if (answer.ok) {
    void answer.body?.cancel().catch(() => undefined); // nobody waits for the rest: the message is there
    return;
  }
  const word = await firstWord(answer);
  throw new DeliveryError(`The webhook answered ${[String(status), ...word].join(' ')}`, {
    mayPass: status >= 500 || status === 429 || status === 408,
    retryAfter: retryAfter(answer.headers.get('retry-after')),
  });
}

/** Slack names its reasons: `invalid_payload`, `no_service`. Anything else is not told, and may have no end. */
async function firstWord(answer: Response): Promise<string[]> {
  const reader = answer.body?.getReader();
  try {
    const text = Buffer.from((await reader?.read())?.value ?? []).toString();
    return /^[a-z_]{1,40}$/.test(text) ? [text] : [];
  } catch {
    return []; // the answer broke off; its status has come
  } finally {
    await reader?.cancel().catch(() => undefined); // it is broken
  }
}

/** @returns milliseconds */
function retryAfter(header: string | null): number {
  const seconds = Number(header ?? 0);
  return seconds > 0 ? Math.min(seconds * 1000, MAX_RETRY_AFTER_MS) : 0;
}

/** As Slack takes it. `text` is what notifications show. */
function slackPayload(message: Message): JsonObject {
  // Slack is not to look for names, channels and links in the text, nor to fetch what is linked.
  const fixed = { parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false };
  switch (message.kind) {
    case 'job':
      return {
        ...{ ...fixed, text: escape(summary(message), MAX_TEXT) },
        blocks: blocksOf(headline(message), message.parts),
      };
    case 'schedule':
      return {
        ...{ ...fixed, text: escape(scheduleSummary(message), MAX_TEXT) },
        blocks: blocksOf(scheduleHeadline(message), message.parts),
      };
    case 'gathered': {
      const text = escape(gatheredSummary(message), MAX_TEXT);
      return { ...fixed, text, blocks: [section(text)] };
    }
    default:
      return assertNever(message);
  }
}

function blocksOf(headline: string, parts: readonly NoticePart[]): JsonObject[] {
  return [section(headline), ...parts.map(partBlock)];
}

function headline({ service, type, jobId, status, failureType, when, filedAt }: Notice): string {
  const fields: readonly (readonly [string, string])[] = [
    ['Service', code(service)],
    ['Job type', code(type)],
    ['Job', code(jobId)],
    ['Status', code(status)],
    ...(failureType === undefined ? [] : [['Failure type', code(failureType)] as const]),
    ['When', code(when)],
    ['Filed at', link(filedAt)],
  ];
  return linesOf(fields);
}

function scheduleHeadline(notice: ScheduleNotice): string {
  const fields = scheduleFields(notice).map(([name, value]) => [name, code(value)] as const);
  const { jobAt } = notice;
  return linesOf(jobAt === undefined ? fields : [...fields, ['Job at', link(jobAt)]]);
}

function linesOf(fields: readonly (readonly [string, string])[]): string {
  return fields.map(([name, value]) => `*${name}:* ${value}`).join('\n');
}

function partBlock({ title, text }: NoticePart): JsonObject {
  const [start, end] = [`*${title}*\n\`\`\`\n`, '\n```'];
  return section(start + escape(text, MAX_TEXT - start.length - end.length) + end);
}

function section(text: string): JsonObject {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

/** Within backticks nothing is formatted. */
function code(text: string): string {
  return text === '' ? '_none_' : `\`${escape(text, MAX_WORD)}\``;
}

/** What is no URL, or was cut, is shown all the same, but leads nowhere. */
function link(place: string): string {
  const escaped = escape(place, Infinity);
  return /^https?:\/\//.test(place) && escaped.length <= MAX_LINK ? `<${escaped}>` : code(place);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Text that is nothing but text: mentions and links begin with `<`, and what is shown as code ends with backticks, which
 * become accents that look alike. At most so many characters when all is spelled out.
 */
function escape(text: string, limit: number): string {
  const escaped = cut(text, limit)
    .replaceAll('`', 'ˋ')
    .replace(/[&<>]/g, (character) => ENTITIES[character] ?? '');
  if (escaped.length <= limit) return escaped;
  return `${cut(escaped, limit)
    .slice(0, -1)
    .replace(/&[a-z]*$/, '')}…`; // half of an entity is none
}
