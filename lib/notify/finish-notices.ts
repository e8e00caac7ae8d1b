import { waitAtMost } from '../clock.js';
import type { Clock } from '../clock.js';
import { assertNever } from '../errors.js';
import type { Events } from '../events.js';
import type { Json } from '../json.js';
import { Channel } from './channel.js';
import { emailSender } from './email.js';
import type { ResolvedFinishReporter } from './finish-reporter.js';
import { headlineOf, partsOf } from './notice.js';
import type { FiledJob, Headline, Notice } from './notice.js';
import type { Sender } from './sender.js';
import { slackSender } from './slack.js';

/** How long a message waits for the document of its job. */
const READ_MS = 5000;

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
  readonly readJob: (job: FiledJob) => Promise<Json | undefined>;
  /** Hides what must not be told. */
  readonly redact: (text: string) => string;
}

interface Subscriber {
  readonly reporter: ResolvedFinishReporter;
  readonly channel: Channel;
}

/** Tells the finish reporters of the jobs that are filed. What becomes of a message touches no job. */
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
    if (reporters.length > 0) events.on('job:filed', this.#filed);
  }

  /**
   * Listens no longer, waits for at most five seconds until the messages that wait are sent, and drops the rest. Can be
   * called more than once.
   */
  stop(): Promise<void> {
    this.#options.events.off('job:filed', this.#filed);
    this.#stopping ??= Promise.all(this.#subscribers.map(({ channel }) => channel.stop())).then(
      () => undefined,
    );
    return this.#stopping;
  }

  readonly #filed = (job: FiledJob): void => {
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
  async #read(job: FiledJob): Promise<Json | undefined> {
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
