import type { SMTPTransportOptions } from 'nodemailer';

import { ConfigError } from '../errors.js';
import { isJsonObject } from '../json.js';
import { checkNames } from '../options.js';
import type { FinalStatus } from '../paths.js';
import type {
  EmailReporter,
  FinishReporterOptions,
  ReportedPart,
  ResolvedEmailReporter,
  ResolvedFinishReporter,
  ResolvedSlackReporter,
  SlackReporter,
} from './finish-reporter.js';

export const finishReporterDefaults: Readonly<Required<Omit<FinishReporterOptions, 'jobTypes'>>> =
  Object.freeze({ status: 'failure', include: Object.freeze([]) });

const optionNames: readonly (keyof FinishReporterOptions)[] = ['status', 'jobTypes', 'include'];
const slackNames: readonly (keyof SlackReporter)[] = ['type', 'posturl', ...optionNames];
const emailNames: readonly (keyof EmailReporter)[] = ['type', 'smtp', 'from', 'to', ...optionNames];
const parts: readonly ReportedPart[] = ['config', 'result', 'error', 'updates'];

/** Those of nodemailer's options that make it something else than a client of a mail server. */
const otherTransports = ['send', 'sendmail', 'streamTransport', 'jsonTransport', 'SES'];

/** A reporter as it was given: nothing is known of it. */
type Given = Readonly<Record<string, unknown>>;

/**
 * @param value a list of {@link FinishReporter}, or undefined for none
 * @throws {ConfigError} it is none; the message shows no webhook, mail server or address
 */
export function resolveFinishReporters(value: unknown): readonly ResolvedFinishReporter[] {
  if (value === undefined) return [];
  if (!isList(value)) throw wrong('finishReporters', 'a list of reporters', value);
  return Object.freeze(value.map((given, index) => resolve(given, `finishReporters[${String(index)}]`)));
}

function resolve(given: unknown, name: string): ResolvedFinishReporter {
  if (!isGiven(given)) throw wrong(name, "an object like { type: 'slack', posturl: … }", given);
  switch (given['type']) {
    case 'slack':
      return resolveSlack(given, name);
    case 'email':
      return resolveEmail(given, name);
    default:
      throw wrong(`${name}.type`, "'slack' or 'email'", given['type']);
  }
}

function resolveSlack(given: Given, name: string): ResolvedSlackReporter {
  checkNames(given, slackNames);
  const { posturl } = given;
  if (!isWebhook(posturl))
    throw secret(`${name}.posturl`, 'the https:// URL of a webhook, without user and password', posturl);
  return Object.freeze({ type: 'slack', posturl, ...resolveOptions(given, name) });
}

function resolveEmail(given: Given, name: string): ResolvedEmailReporter {
  checkNames(given, emailNames);
  const { smtp, from, to } = given;
  const server = isMailUrl(smtp) ? { url: smtp } : smtp;
  if (!isSmtpOptions(server))
    throw secret(
      `${name}.smtp`,
      'an smtp:// or smtps:// URL, or SMTP options of nodemailer with a `host`, `service` or `url`',
      smtp,
    );
  if (!isAddress(from)) throw secret(`${name}.from`, 'a mail address', from);
  const recipients = isList(to) ? to : [to];
  if (recipients.length === 0 || !recipients.every(isAddress))
    throw secret(`${name}.to`, 'a mail address, or a list of them', to);
  return Object.freeze({ type: 'email', smtp: server, from, to: recipients, ...resolveOptions(given, name) });
}

function resolveOptions(
  given: Given,
  name: string,
): Pick<ResolvedFinishReporter, 'statuses' | 'jobTypes' | 'include'> {
  const { jobTypes, status = finishReporterDefaults.status } = given;
  const { include = finishReporterDefaults.include } = given;
  if (jobTypes !== undefined && !(isList(jobTypes) && jobTypes.every(isText)))
    throw wrong(`${name}.jobTypes`, 'a list of job types', jobTypes);
  if (!isList(include) || !include.every(isPart))
    throw wrong(
      `${name}.include`,
      `a list of ${parts.join(', ')}`,
      isList(include) ? include.find((part) => !isPart(part)) : include,
    );
  return {
    statuses: statusesOf(status, name),
    jobTypes: jobTypes === undefined ? undefined : new Set(jobTypes),
    include: new Set(include),
  };
}

function statusesOf(status: unknown, name: string): ReadonlySet<FinalStatus> {
  if (status === 'both') return new Set(['failure', 'success']);
  if (status === 'failure' || status === 'success') return new Set([status]);
  throw wrong(`${name}.status`, "'failure', 'success' or 'both'", status);
}

function isWebhook(value: unknown): value is string {
  if (typeof value !== 'string' || !URL.canParse(value)) return false;
  const { protocol, username, password } = new URL(value);
  return ['http:', 'https:'].includes(protocol) && username === '' && password === '';
}

function isMailUrl(value: unknown): value is string {
  if (typeof value !== 'string' || !/^smtps?:\/\//i.test(value) || !URL.canParse(value)) return false;
  return new URL(value).hostname !== '';
}

function isSmtpOptions(value: unknown): value is SMTPTransportOptions {
  if (!isGiven(value) || otherTransports.some((name) => name in value)) return false;
  const { host, service, url } = value;
  if (url !== undefined) return isMailUrl(url);
  return [host, service].some((place) => isText(place) && place !== '');
}

/** A line of text with an address in it; the mail server knows the rest. */
function isAddress(value: unknown): value is string {
  return isText(value) && value.includes('@') && !/\p{Cc}/u.test(value);
}

function isPart(value: unknown): value is ReportedPart {
  return parts.some((part) => part === value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isGiven(value: unknown): value is Given {
  return isJsonObject(value);
}

/** Shows what it got where that is a word: anything longer may be a secret in the wrong place. */
function wrong(name: string, what: string, got: unknown): ConfigError {
  const isWord = typeof got === 'string' && /^[\w-]{0,20}$/.test(got);
  if (!isWord && typeof got !== 'number' && typeof got !== 'boolean') return secret(name, what, got);
  return new ConfigError(`expected \`${name}\` to be ${what}, got \`${String(got)}\` (${typeof got})`);
}

/** Never shows what it got. */
function secret(name: string, what: string, got: unknown): ConfigError {
  const kind = got === undefined ? 'nothing' : 'something else';
  return new ConfigError(`expected \`${name}\` to be ${what}, got ${kind}`);
}
