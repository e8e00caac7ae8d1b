import { setImmediate } from 'node:timers/promises';

import { postJob, submit } from '@oada/jobs';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';

import { traceOf } from '../lib/tracing.js';
import {
  BASE,
  countTo,
  jobOf,
  makeService,
  NAME,
  postJob as post,
  read,
  startServer,
  TOKEN,
} from './setup.js';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = trace.getTracer('test');

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
});

beforeEach(() => {
  exporter.reset();
});

afterAll(async () => {
  await provider.shutdown();
  trace.disable();
  context.disable();
});

function spanOf(name: string): ReadableSpan {
  const spans = exporter.getFinishedSpans().filter((span) => span.name === name);
  expect(spans, name).toHaveLength(1);
  return spans[0]!;
}

/** Does something in a span, as an app that is traced does. */
async function within<T>(name: string, work: () => Promise<T>): Promise<T> {
  return await tracer.startActiveSpan(name, async (span) => {
    try {
      return await work();
    } finally {
      span.end();
    }
  });
}

const TRACE = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, tracestate: 'farm=1' };

test('a run is a span below that of the submission, and what the work function traces is below the run', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const service = makeService(server).on('plough', '10s', async () => {
    await setImmediate();
    await within('turn the soil', () => setImmediate());
  });
  await service.start();
  const filed = countTo(service, 'job:filed', 1);
  const { _id } = await within('plan the day', () => submit(oada, { service: NAME, type: 'plough' }));
  await filed;
  const [app, submitted, run, inner] = [
    spanOf('plan the day'),
    spanOf('oada-jobs submit plough'),
    spanOf('oada-jobs plough'),
    spanOf('turn the soil'),
  ];
  const { traceId } = app.spanContext();
  for (const span of [submitted, run, inner]) expect(span.spanContext().traceId).toBe(traceId);
  expect(submitted.parentSpanContext?.spanId).toBe(app.spanContext().spanId);
  expect(run.parentSpanContext).toMatchObject({ spanId: submitted.spanContext().spanId, isRemote: true });
  expect(inner.parentSpanContext?.spanId).toBe(run.spanContext().spanId);
  expect(submitted.kind).toBe(SpanKind.PRODUCER);
  expect(run.kind).toBe(SpanKind.CONSUMER);
  expect(run.status.code).toBe(SpanStatusCode.UNSET);
  const common = {
    'messaging.system': 'oada-jobs',
    'messaging.destination.name': NAME,
    'messaging.message.id': _id,
    'oada_jobs.type': 'plough',
  };
  expect(submitted.attributes).toEqual({
    ...common,
    'messaging.operation.type': 'send',
    'messaging.operation.name': 'submit',
  });
  expect(run.attributes).toEqual({
    ...common,
    ...{ 'messaging.operation.type': 'process', 'messaging.operation.name': 'run' },
    ...{ 'oada_jobs.queue': 'default', 'oada_jobs.attempt': 1, 'oada_jobs.outcome': 'success' },
  });
  const { spanId } = submitted.spanContext();
  expect((await read(oada, `/${_id}`)).trace).toEqual({ traceparent: `00-${traceId}-${spanId}-01` });
});

test('without a span around it a submission makes none, and the job carries none', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const { _id } = await submit(oada, { service: NAME, type: 'plough' });
  const posted = await postJob(oada, `${BASE}/jobs`, { service: NAME, type: 'plough' });
  expect(exporter.getFinishedSpans()).toEqual([]);
  for (const id of [_id, posted._id]) expect(await read(oada, `/${id}`)).not.toHaveProperty('trace');
});

test('postJob carries the span, but leaves alone a job that has one', async () => {
  const server = await startServer();
  const oada = server.client(TOKEN);
  const job = { service: NAME, type: 'plough' };
  const [own, given] = await within('app', async () => [
    await postJob(oada, `${BASE}/jobs`, job),
    await postJob(oada, `${BASE}/jobs`, { ...job, trace: TRACE }),
  ]);
  const { traceId } = spanOf('app').spanContext();
  expect((await read(oada, `/${own._id}`)).trace.traceparent).toMatch(
    new RegExp(`^00-${traceId}-[\\da-f]{16}-01$`),
  );
  expect((await read(oada, `/${given._id}`)).trace).toEqual(TRACE);
});

test('a child is submitted below the run of its parent, and run below that', async () => {
  const server = await startServer();
  const service = makeService(server)
    .on('field', '10s', async (_job, { spawn, all }) => {
      await spawn('row');
      await all();
    })
    .on('row', '10s', () => undefined);
  await service.start();
  const filed = countTo(service, 'job:filed', 2);
  await post(server.client(TOKEN), jobOf('field'));
  await filed;
  const [parent, submitted, child] = [
    spanOf('oada-jobs field'),
    spanOf('oada-jobs submit row'),
    spanOf('oada-jobs row'),
  ];
  expect(submitted.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
  expect(child.parentSpanContext?.spanId).toBe(submitted.spanContext().spanId);
});

test('jobs without a trace begin one of their own, also where the service was started in a span', async () => {
  const server = await startServer();
  const service = makeService(server).on('plough', '10s', () => undefined);
  service.schedule('often', { type: 'plough', every: '1s' });
  const filed = countTo(service, 'job:filed', 2);
  await within('start', () => service.start());
  await post(server.client(TOKEN), jobOf('plough'));
  await filed;
  await service.stop();
  const runs = exporter.getFinishedSpans().filter(({ name }) => name === 'oada-jobs plough');
  expect(runs.length).toBeGreaterThanOrEqual(2);
  for (const run of runs) {
    expect(run.parentSpanContext).toBeUndefined();
    expect(run.spanContext().traceId).not.toBe(spanOf('start').spanContext().traceId);
  }
  expect(exporter.getFinishedSpans().map(({ name }) => name)).not.toContain('oada-jobs submit plough');
});

test('each run of a job is a span; a failure says why, and nothing of tokens', async () => {
  const server = await startServer();
  const service = makeService(server).on(
    'plough',
    { timeout: '10s', retries: { limit: 1, backoff: 5 } },
    () => {
      throw new RangeError(`bad ${TOKEN}`);
    },
  );
  service.on('slow', { timeout: 10, grace: 10 }, () => new Promise(() => undefined));
  await service.start();
  const filed = countTo(service, 'job:filed', 2);
  await post(server.client(TOKEN), { ...jobOf('plough'), trace: TRACE });
  await post(server.client(TOKEN), jobOf('slow'));
  await filed;
  const runs = exporter.getFinishedSpans().filter(({ name }) => name === 'oada-jobs plough');
  expect(runs.map(({ attributes }) => attributes['oada_jobs.attempt'])).toEqual([1, 2]);
  for (const { attributes, status, events, parentSpanContext } of runs) {
    expect(parentSpanContext).toMatchObject({
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      traceFlags: 1,
    });
    expect(parentSpanContext?.traceState?.serialize()).toBe('farm=1');
    expect(attributes).toMatchObject({ 'error.type': 'RangeError', 'oada_jobs.outcome': 'failure' });
    expect(status).toEqual({ code: SpanStatusCode.ERROR, message: 'bad [token]' });
    expect(events.map(({ name }) => name)).toEqual(['exception']);
    expect(JSON.stringify([attributes, status, events])).not.toContain(TOKEN);
  }
  expect(spanOf('oada-jobs slow').attributes['error.type']).toBe('timeout');
});

test('what is thrown may be anything, and tracing may fail: the job is filed all the same', async () => {
  const server = await startServer();
  const service = makeService(server)
    .on('odd', '10s', () => {
      throw Object.defineProperty(new Error('x'), 'name', {
        get: () => {
          throw new Error('no name');
        },
      });
    })
    .on('plough', '10s', () => 'done');
  await service.start();
  const filed = countTo(service, 'job:filed', 1);
  await post(server.client(TOKEN), jobOf('odd'));
  await filed;
  expect(spanOf('oada-jobs odd').attributes['oada_jobs.outcome']).toBe('failure');

  const start = vi.spyOn(Object.getPrototypeOf(provider.getTracer('any')), 'startSpan');
  onTestFinished(() => {
    start.mockRestore();
  });
  start.mockImplementation(() => {
    throw new Error('no spans today');
  });
  const succeeded = countTo(service, 'job:succeeded', 1);
  await post(server.client(TOKEN), jobOf('plough'));
  await succeeded;
  expect(start).toHaveBeenCalled();
});

test('a submission that fails is a span that says so', async () => {
  const server = await startServer();
  const oada = server.client('nobody');
  await expect(within('app', () => submit(oada, { service: NAME, type: 'plough' }))).rejects.toThrow();
  expect(spanOf('oada-jobs submit plough').status.code).toBe(SpanStatusCode.ERROR);
});

describe('the trace in a job', () => {
  test.each([
    ['nothing', undefined],
    ['no object', 'x'],
    ['a list', [TRACE]],
    ['nothing in it', {}],
    ['a number', { traceparent: 5 }],
    ['a version that there is not', { traceparent: TRACE.traceparent.replace('00-', 'ff-') }],
    ['more than this version has', { traceparent: `${TRACE.traceparent}-00` }],
    ['an id of zeros', { traceparent: `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01` }],
    ['a span of zeros', { traceparent: `00-${'a'.repeat(32)}-${'0'.repeat(16)}-01` }],
    ['capitals', { traceparent: TRACE.traceparent.toUpperCase() }],
    ['a line more', { traceparent: `${TRACE.traceparent}\n` }],
    ['a text without end', { traceparent: `01${TRACE.traceparent.slice(2)}-${'x'.repeat(10_000)}` }],
  ])('is none where there is %s', (_, value) => {
    expect(traceOf({ trace: value })).toBeUndefined();
  });

  test('may be of a later version, and have a state that is too long', () => {
    const later = `01-${'a'.repeat(32)}-${'b'.repeat(16)}-03-more`;
    expect(traceOf({ trace: { traceparent: later, tracestate: 'x'.repeat(513), more: 1 } })).toEqual({
      traceparent: later,
    });
    expect(traceOf({ trace: TRACE })).toEqual(TRACE);
  });

  test('may be anything, and the job is run all the same', async () => {
    const server = await startServer();
    const service = makeService(server).on('plough', '10s', () => undefined);
    await service.start();
    const values = fc.sample(
      fc.oneof(fc.jsonValue(), fc.record({ traceparent: fc.jsonValue(), tracestate: fc.jsonValue() })),
      30,
    );
    const states = ['=', 'a=b,,=', '\u0000', 'a'.repeat(512)].map((tracestate) => ({ ...TRACE, tracestate }));
    const succeeded = countTo(service, 'job:succeeded', values.length + states.length);
    for (const value of [...values, ...states])
      await post(server.client(TOKEN), { ...jobOf('plough'), trace: value });
    await succeeded;
    const runs = exporter.getFinishedSpans().filter(({ name }) => name === 'oada-jobs plough');
    const below = runs.filter(({ parentSpanContext }) => parentSpanContext !== undefined);
    expect([runs.length, below.length]).toEqual([values.length + states.length, states.length]);
  });
});
