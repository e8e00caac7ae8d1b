import type * as Api from '@opentelemetry/api';
import debug from 'debug';

import { toError } from './errors.js';
import { isJsonObject, objectOf } from './json.js';
import type { Json } from './json.js';
import { finalRecord } from './outcome.js';
import type { Outcome } from './outcome.js';

const log = debug('oada-jobs:tracing');

/** The span in which a job was submitted, as W3C Trace Context has it; `trace` of a job's document. */
// A type, since an interface is no JSON.
// eslint-disable-next-line @typescript-eslint/consistent-type-definitions
export type TraceRecord = { readonly traceparent: string; readonly tracestate?: string };

/** What of a document is the trace of its making; nothing where there is none. */
export interface TracedPart {
  readonly trace?: TraceRecord;
}

/** What is submitted. */
export interface Submission {
  readonly service: Json | undefined;
  readonly type: Json | undefined;
}

/** What is run, for its span. */
export interface TracedRun extends Submission {
  readonly queue: string;
  readonly jobId: string;
  readonly attempt: number;
  /** That of the job. */
  readonly trace: TraceRecord | undefined;
  /** Hides what must not be told. */
  readonly redact: (text: string) => string;
}

/** Tells OpenTelemetry of what is done, in spans. */
export interface Tracing {
  /** Does the work in a span, and gives it what stands for that in the job; in no span where there is none around it. */
  submitted<T extends { readonly _id: string }>(
    submission: Submission,
    work: (part: TracedPart) => Promise<T>,
  ): Promise<T>;
  /** Does the work in a span. What it traces is below that, and that is below the span of the job's submission. */
  ran(run: TracedRun, work: () => Promise<Outcome>): Promise<Outcome>;
}

const MAX_TRACESTATE = 512;
const TRACER = '@oada/jobs';

/** The trace in a job's document, be it one or not. */
export function traceOf(document: unknown): TraceRecord | undefined {
  const trace = isJsonObject(document) ? document['trace'] : undefined;
  if (!isJsonObject(trace)) return undefined;
  const { traceparent, tracestate } = trace;
  if (typeof traceparent !== 'string' || partsOf(traceparent) === undefined) return undefined;
  const isState = typeof tracestate === 'string' && tracestate.length <= MAX_TRACESTATE;
  return { traceparent, ...(isState && { tracestate }) };
}

/** Later versions may have more behind what this one has. */
function partsOf(traceparent: string): { traceId: string; spanId: string; traceFlags: number } | undefined {
  if (traceparent.length > MAX_TRACESTATE) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest = ''] =
    /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/.exec(traceparent) ?? [];
  const isKnown = version === '00' ? rest === '' : version !== undefined && version !== 'ff';
  if (!isKnown || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}

let loading: Promise<Tracing | undefined> | undefined;
let loaded: Tracing | undefined;

/** Loads OpenTelemetry, once; resolves with undefined where it is not installed. */
export function loadTracing(): Promise<Tracing | undefined> {
  loading ??= import('@opentelemetry/api').then(
    (api) => (loaded = tracingBy(api)),
    (error: unknown) => {
      log('there are no traces: %s', toError(error).message);
      return undefined;
    },
  );
  return loading;
}

/** {@link Tracing.submitted}, where OpenTelemetry is installed. */
export async function traced<T extends { readonly _id: string }>(
  submission: Submission,
  work: (part: TracedPart) => Promise<T>,
): Promise<T> {
  const tracing = await loadTracing();
  return tracing === undefined ? work({}) : tracing.submitted(submission, work);
}

/** {@link Tracing.ran}, where OpenTelemetry is loaded. */
export function tracedRun(run: TracedRun, work: () => Promise<Outcome>): Promise<Outcome> {
  return loaded === undefined ? work() : loaded.ran(run, work);
}

function tracingBy(api: typeof Api): Tracing {
  return {
    async submitted(submission, work) {
      const begun = quietly(() => beginSubmission(api, submission));
      if (begun === undefined) return await work({});
      const { span, inside, part } = begun;
      try {
        const submitted = await api.context.with(inside, () => work(part));
        quietly(() => span.setAttribute('messaging.message.id', submitted._id));
        return submitted;
      } catch (error) {
        quietly(() => {
          fail(api, span, toError(error));
        });
        throw error;
      } finally {
        quietly(() => {
          span.end();
        });
      }
    },

    async ran(run, work) {
      const begun = quietly(() => beginRun(api, run));
      if (begun === undefined) return await work();
      const outcome = await api.context.with(begun.inside, work);
      quietly(() => {
        endRun(api, begun.span, outcome, run.redact);
      });
      return outcome;
    },
  };
}

/** A span, and the context of what is done in it. */
interface BegunSpan {
  readonly span: Api.Span;
  readonly inside: Api.Context;
}

/** Undefined where there is no span around it. */
function beginSubmission(
  api: typeof Api,
  submission: Submission,
): (BegunSpan & { readonly part: TracedPart }) | undefined {
  const { context, trace, SpanKind } = api;
  const around = context.active();
  const outer = trace.getSpanContext(around);
  if (outer === undefined || !api.isSpanContextValid(outer)) return undefined;
  const options = { kind: SpanKind.PRODUCER, attributes: attributesOf(submission, 'send', 'submit') };
  const name = `oada-jobs submit ${textOf(submission.type)}`;
  const span = trace.getTracer(TRACER).startSpan(name, options, around);
  return { span, inside: trace.setSpan(around, span), part: { trace: recordOf(span.spanContext()) } };
}

function beginRun(api: typeof Api, run: TracedRun): BegunSpan {
  const { trace, ROOT_CONTEXT, SpanKind } = api;
  const parent = parentOf(api, run.trace);
  // Where the service was started in a span, that is over: the job has nothing to do with it.
  const around = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  const attributes = {
    ...attributesOf(run, 'process', 'run'),
    'messaging.message.id': run.jobId,
    'oada_jobs.queue': run.queue,
    'oada_jobs.attempt': run.attempt,
  };
  const options = { kind: SpanKind.CONSUMER, attributes };
  const span = trace.getTracer(TRACER).startSpan(`oada-jobs ${textOf(run.type)}`, options, around);
  return { span, inside: trace.setSpan(around, span) };
}

function endRun(api: typeof Api, span: Api.Span, outcome: Outcome, redact: (text: string) => string): void {
  span.setAttribute('oada_jobs.outcome', outcome.kind);
  if (outcome.kind === 'failure') {
    // As it is stored: the fields of what is thrown can be anything.
    const { result, failureType } = finalRecord(outcome, { stacks: false, redact });
    const { name, message } = objectOf(result);
    span.setAttribute('error.type', textOf(failureType) || textOf(name));
    fail(api, span, { name: textOf(name), message: textOf(message) });
  }
  span.end();
}

/** What a program has set up for its traces may fail: that is no job's fault. */
function quietly<T>(tell: () => T): T | undefined {
  try {
    return tell();
  } catch (error) {
    log('a trace is lost: %s', toError(error).stack);
    return undefined;
  }
}

function fail(
  { SpanStatusCode }: typeof Api,
  span: Api.Span,
  { name, message }: { readonly name: string; readonly message: string },
): void {
  span.recordException({ name, message });
  span.setStatus({ code: SpanStatusCode.ERROR, message });
}

/** Names as OpenTelemetry's conventions of messaging have them. */
function attributesOf({ service, type }: Submission, kind: string, name: string): Api.Attributes {
  return {
    'messaging.system': 'oada-jobs',
    'messaging.operation.type': kind,
    'messaging.operation.name': name,
    'messaging.destination.name': textOf(service),
    'oada_jobs.type': textOf(type),
  };
}

/** What is posted may be anything. */
function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function parentOf(api: typeof Api, record: TraceRecord | undefined): Api.SpanContext | undefined {
  const parts = record === undefined ? undefined : partsOf(record.traceparent);
  if (parts === undefined) return undefined;
  const { tracestate = '' } = record ?? {};
  return {
    ...parts,
    isRemote: true,
    ...(tracestate !== '' && { traceState: api.createTraceState(tracestate) }),
  };
}

function recordOf({ traceId, spanId, traceFlags, traceState }: Api.SpanContext): TraceRecord {
  const tracestate = traceState?.serialize() ?? '';
  return {
    traceparent: `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, '0')}`,
    ...(tracestate !== '' && { tracestate }),
  };
}
