import type { SendMailOptions, SMTPTransportOptions, Transporter } from 'nodemailer';

import { assertNever } from '../errors.js';
import type { ResolvedEmailReporter } from './finish-reporter.js';
import { gatheredSummary, summary } from './notice.js';
import type { Message, Notice } from './notice.js';
import { scheduleFields, scheduleSummary } from './schedule-notice.js';
import type { ScheduleNotice } from './schedule-notice.js';
import { codeOf, DeliveryError } from './sender.js';
import type { Sender } from './sender.js';
import type { NoticePart } from './text.js';

/** What no later try will mend. */
const HOPELESS = ['EENVELOPE', 'EMESSAGE', 'ENOAUTH', 'ECONFIG', 'EREQUIRETLS'];
/** How long a connection that is over may take to close. */
const CLOSE_MS = 1000;

type MailReporter = Pick<ResolvedEmailReporter, 'smtp' | 'from' | 'to'>;

/** Sends mail. What it takes to do so is loaded with the first one. */
export function emailSender({ smtp, from, to }: MailReporter): Sender {
  let opening: Promise<Transporter> | undefined;
  return {
    reporter: 'email',
    send: async (message, signal) => {
      opening ??= openTransport(smtp);
      try {
        await deliver(await opening, { from, to: [...to], ...mailOf(message), signal });
      } catch (error) {
        throw error instanceof DeliveryError ? error : failureOf(error);
      }
    },
    close: () => {
      void opening?.then(
        (transport) => transport.close(),
        () => undefined, // whoever sent was told
      );
    },
  };
}

async function openTransport(smtp: SMTPTransportOptions): Promise<Transporter> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({ socketCloseTimeout: CLOSE_MS, ...smtp });
  transport.on('error', () => undefined); // the message on its way fails as well, and is told of
  return transport;
}

async function deliver(transport: Transporter, mail: SendMailOptions): Promise<void> {
  // Nothing of a message is a file's name or a URL to be fetched.
  const info: unknown = await transport.sendMail({
    ...mail,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const refused = rejectedOf(info);
  // Another try would tell the others twice.
  if (refused > 0)
    throw new DeliveryError(`The mail server refused ${String(refused)} of the recipients`, {
      mayPass: false,
    });
}

function rejectedOf(info: unknown): number {
  if (typeof info !== 'object' || info === null || !('rejected' in info)) return 0;
  return Array.isArray(info.rejected) ? info.rejected.length : 0;
}

function failureOf(thrown: unknown): DeliveryError {
  const code = codeOf(thrown) ?? 'no reason was given';
  const status = responseCode(thrown);
  const why = status === undefined ? code : `${code}, ${String(status)}`;
  const mayPass = status === undefined ? !HOPELESS.includes(code) : status < 500;
  return new DeliveryError(`The mail could not be sent (${why})`, { mayPass });
}

/** What the mail server answered, as a number: its words may repeat what it was told. */
function responseCode(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('responseCode' in thrown)) return undefined;
  return typeof thrown.responseCode === 'number' ? thrown.responseCode : undefined;
}

/** Subject and text; the subject is one line, as all that it is made of. */
function mailOf(message: Message): Pick<SendMailOptions, 'subject' | 'text' | 'headers'> {
  const headers = { 'Auto-Submitted': 'auto-generated' }; // nobody's absence note is to answer
  switch (message.kind) {
    case 'job':
      return { subject: summary(message), text: textOf(message), headers };
    case 'schedule':
      return { subject: scheduleSummary(message), text: scheduleText(message), headers };
    case 'gathered': {
      const subject = gatheredSummary(message);
      return { subject, text: `${subject}\n`, headers };
    }
    default:
      return assertNever(message);
  }
}

function textOf({ service, type, jobId, status, failureType, when, filedAt, parts }: Notice): string {
  const headline = [
    `Service: ${service}`,
    `Job type: ${type === '' ? 'none' : type}`,
    `Job: ${jobId}`,
    `Status: ${status}`,
    ...(failureType === undefined ? [] : [`Failure type: ${failureType}`]),
    `When: ${when}`,
    `Filed at: ${filedAt}`,
  ];
  return bodyOf(headline, parts);
}

function scheduleText(notice: ScheduleNotice): string {
  const { jobAt, parts } = notice;
  const fields = scheduleFields(notice).map(([name, value]) => `${name}: ${value === '' ? 'none' : value}`);
  return bodyOf(jobAt === undefined ? fields : [...fields, `Job at: ${jobAt}`], parts);
}

function bodyOf(headline: readonly string[], parts: readonly NoticePart[]): string {
  // Indented, so that nothing in it looks like a line of ours.
  const rest = parts.map(({ title, text }) => `\n${title}:\n\n${text.replace(/^/gm, '    ')}`);
  return `${[...headline, ...rest].join('\n')}\n`;
}
