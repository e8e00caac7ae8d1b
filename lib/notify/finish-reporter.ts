import type { SMTPTransportOptions } from 'nodemailer';

import type { FinalStatus } from '../paths.js';

/** What of a job's document a message can hold. */
export type ReportedPart = 'config' | 'result' | 'error' | 'updates';

export interface FinishReporterOptions {
  /** Which finished jobs are told of. @defaultValue 'failure' */
  readonly status?: FinalStatus | 'both';
  /** Only jobs of these types. By default those of all. */
  readonly jobTypes?: readonly string[];
  /**
   * What the messages hold besides service, job type, job, status, failure type, time and place: the `config`, the `result`
   * of a success, the `error` of a failure, the last `updates`. Whoever reads the channel reads those. @defaultValue []
   */
  readonly include?: readonly ReportedPart[];
}

/** Tells a Slack channel. */
export interface SlackReporter extends FinishReporterOptions {
  readonly type: 'slack';
  /** Of the channel's incoming webhook; a secret. */
  readonly posturl: string;
}

/** Sends plain-text mail. */
export interface EmailReporter extends FinishReporterOptions {
  readonly type: 'email';
  /** The mail server: `smtps://user:password@mail.example.org`, or the SMTP options of nodemailer. */
  readonly smtp: string | SMTPTransportOptions;
  readonly from: string;
  readonly to: string | readonly string[];
}

/** Where finished jobs are told of. */
export type FinishReporter = SlackReporter | EmailReporter;

interface ResolvedOptions {
  readonly statuses: ReadonlySet<FinalStatus>;
  /** Undefined: all. */
  readonly jobTypes: ReadonlySet<string> | undefined;
  readonly include: ReadonlySet<ReportedPart>;
}

export interface ResolvedSlackReporter extends ResolvedOptions {
  readonly type: 'slack';
  readonly posturl: string;
}

export interface ResolvedEmailReporter extends ResolvedOptions {
  readonly type: 'email';
  readonly smtp: SMTPTransportOptions;
  readonly from: string;
  readonly to: readonly string[];
}

export type ResolvedFinishReporter = ResolvedSlackReporter | ResolvedEmailReporter;
