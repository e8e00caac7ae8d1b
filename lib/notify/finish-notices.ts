import { waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import { assertNever } from '../errors.js';
import type { Events, ServiceEvents } from '../events.js';
import type { Json } from '../json.js';
import { Channel } from './channel.js';
import { emailSender } from './email.js';
import type { ReportedPart, ResolvedFinishReporter } from './finish-reporter.js';
import { headlineOf, partsOf } from './notice.js';
import type { FiledJob, Headline, Notice } from './notice.js';
import { isNewsFor, newsOfEnd, newsOfHold, scheduleHeadlineOf, statusOf } from './schedule-notice.js';
import type { ScheduleHeadline, ScheduleNews, ScheduleNotice } from './schedule-notice.js';
import type { Sender } from './sender.js';
import { slackSender } from './slack.js';
import { lines } from './text.js';
import type { NoticePart } from './text.js';

/** How long a message waits for the document of its job. */
const READ_MS = 5000;
/** How much is told of why a schedule failed. */
const MAX_MESSAGE = 2000;
/** The queue whose store holds the schedules and their jobs. */
const SCHEDULES_QUEUE = 'default';

export interface FinishNoticesOptions {
  /** Its name. */
  readonly service: string;
  readonly reporters: readonly ResolvedFinishReporter[];
  /** Listened to, and told of what could not be delivered. */
  readonly events: Events;
  readonly clock: Clock;
  /** Where the store of a queue is; undefined where that is not known any more. */
  readonly storeUrl: (queue: string) => string | undefined;
  /** Reads the document of a job. Only asked for where a reporter is to tell something of it. */
  readonly readJob: (job: Pick<FiledJob, 'queue' | 'jobId'>) => Promise<Json | undefined>;
  /** Hides what must not be told. */
  readonly redact: (text: string) => string;
}

interface Subscriber {
  readonly reporter: ResolvedFinishReporter;
  readonly channel: Channel;
}

/**
 * Tells the finish reporters of the jobs that are filed. Those that a schedule has started are told of as that schedule:
 * once, by the instance that has the schedule go on, and not each time. What becomes of a message touches no job.
 */
export class FinishNotices {
  readonly #options: FinishNoticesOptions;
  readonly #subscribers: readonly Subscriber[];
  #stopping: Promise<void> | undefined;

  /** Listens from now on. */
  constructor(options: FinishNoticesOptions) {
    const { service, reporters, events, clock } = options;
    this.#options = options;
    this.#subscribers = reporters.map((reporter) => {
      const onFailure = (error: Error, dropped: number): void => {
        events.emit('notice:failed', { reporter: reporter.type, error, dropped });
      };
      const channel = new Channel({ service, sender: senderOf(reporter), clock, onFailure });
      return { reporter, channel };
    });
    if (reporters.length === 0) return;
    events.on('job:filed', this.#filed);
    events.on('schedule:ended', this.#ended);
    events.on('schedule:held', this.#held);
  }

  /**
   * Listens no longer, waits for at most five seconds until the messages that wait are sent, and drops the rest. Can be
   * called more than once.
   */
  stop(): Promise<void> {
    const { events } = this.#options;
    events.off('job:filed', this.#filed);
    events.off('schedule:ended', this.#ended);
    events.off('schedule:held', this.#held);
    this.#stopping ??= Promise.all(this.#subscribers.map(({ channel }) => channel.stop())).then(
      () => undefined,
    );
    return this.#stopping;
  }

  readonly #filed = (job: FiledJob): void => {
    // In another store it is a job like any other: no schedule of ours has started it.
    if (job.startedBy !== undefined && job.queue === SCHEDULES_QUEUE) return;
    const { service, clock, redact, storeUrl } = this.#options;
    const wanted = this.#subscribers.filter(({ reporter }) => isWanted(job, reporter));
    if (wanted.length === 0) return;
    const time = clock.now();
    const headline = headlineOf(job, { service, storeUrl: storeUrl(job.queue), time, redact });
    // What waits is to be small: these two are a producer's, and as long as they like.
    const waiting: FiledJob = { ...job, type: headline.type, failureType: headline.failureType };
    for (const { reporter, channel } of wanted)
      channel.add(job.status, this.#composer(waiting, headline, reporter));
  };

  readonly #ended = (event: ServiceEvents['schedule:ended']): void => {
    this.#tell(newsOfEnd(event));
  };

  readonly #held = (event: ServiceEvents['schedule:held']): void => {
    this.#tell(newsOfHold(event));
  };

  #tell(news: ScheduleNews | undefined): void {
    if (news === undefined) return;
    const wanted = this.#subscribers.filter(({ reporter }) => isNewsFor(news, reporter));
    if (wanted.length === 0) return;
    const { service, clock, redact, storeUrl } = this.#options;
    const context = { service, storeUrl: storeUrl(SCHEDULES_QUEUE), time: clock.now(), redact };
    const headline = scheduleHeadlineOf(news, context);
    const error = news.message === undefined ? undefined : lines(redact(news.message), MAX_MESSAGE);
    for (const { reporter, channel } of wanted)
      channel.add(statusOf(news), this.#newsComposer(news.jobId, headline, error, reporter));
  }

  #newsComposer(
    jobId: string | undefined,
    headline: ScheduleHeadline,
    error: string | undefined,
    { include }: ResolvedFinishReporter,
  ): () => Promise<ScheduleNotice> {
    return async () => {
      const own = include.has('error') && error !== undefined ? [{ title: 'Error', text: error }] : [];
      const others = await this.#jobParts(jobId, headline, include);
      return { kind: 'schedule', ...headline, parts: [...own, ...others] };
    };
  }

  /** What is to be told of the job of an occurrence besides its error. */
  async #jobParts(
    jobId: string | undefined,
    headline: ScheduleHeadline,
    include: ReadonlySet<ReportedPart>,
  ): Promise<NoticePart[]> {
    const asked = new Set([...include].filter((part) => part !== 'error'));
    if (jobId === undefined || asked.size === 0) return [];
    const document = await this.#read({ queue: SCHEDULES_QUEUE, jobId });
    return partsOf(document, statusOf(headline), asked, this.#options.redact);
  }

  /** A function of its own, so that nothing but these is kept while the message waits. */
  #composer(job: FiledJob, headline: Headline, { include }: ResolvedFinishReporter): () => Promise<Notice> {
    return async () => {
      if (include.size === 0) return { kind: 'job', ...headline, parts: [] };
      const document = await this.#read(job);
      return {
        kind: 'job',
        ...headline,
        parts: partsOf(document, job.status, include, this.#options.redact),
      };
    };
  }

  /** Undefined where that fails or takes long; the message says so. */
  async #read(job: Pick<FiledJob, 'queue' | 'jobId'>): Promise<Json | undefined> {
    const { clock, readJob } = this.#options;
    let document: Json | undefined;
    const reading = readJob(job).then((read) => {
      document = read;
    });
    await waitAtMost(clock, READ_MS, reading);
    return document;
  }
}

function isWanted(job: FiledJob, { statuses, jobTypes }: ResolvedFinishReporter): boolean {
  return statuses.has(job.status) && (jobTypes?.has(job.type) ?? true);
}

function senderOf(reporter: ResolvedFinishReporter): Sender {
  switch (reporter.type) {
    case 'slack':
      return slackSender(reporter.posturl);
    case 'email':
      return emailSender(reporter);
    default:
      return assertNever(reporter);
  }
}
