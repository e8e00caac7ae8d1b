/**
 * What a worker thread runs: it imports the script, calls its default export, and posts what comes of it. It is a text
 * rather than a file, so that it is there in whatever way this library is loaded: from its sources, compiled, bundled.
 *
 * It speaks JSON, since not all that a script may return or log can be cloned.
 */
export const THREAD_BOOTSTRAP = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { script, job, jobId } = workerData;

const plain = (value) => (value instanceof Error ? { name: value.name, message: value.message } : value);
const toJson = (value) => {
  try {
    return JSON.stringify(plain(value));
  } catch {
    return '"[not stored: it is no JSON]"';
  }
};
const toText = (value) => {
  try {
    return String(value);
  } catch {
    return 'something that cannot be shown';
  }
};
const update = (level) => async (status, meta) => {
  const text = typeof status === 'string' ? status : (toJson(status) ?? 'undefined');
  parentPort.postMessage({ kind: 'log', level, status: text, meta: toJson(meta) });
};
const log = Object.fromEntries(['info', 'error', 'debug', 'trace'].map((level) => [level, update(level)]));

const errorOf = (thrown, depth = 0) => {
  const { name, message, code, type, retry, stack, cause } =
    thrown instanceof Error ? thrown : { name: 'Error', message: typeof thrown === 'string' ? thrown : (toJson(thrown) ?? toText(thrown)) };
  return {
    name: toText(name),
    message: toText(message),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    ...(typeof type === 'string' && { type }),
    ...(retry === false && { retry }),
    ...(typeof stack === 'string' && { stack }),
    ...(cause instanceof Error && depth < 5 && { cause: errorOf(cause, depth + 1) }),
  };
};

const run = async () => {
  const { default: work } = await import(script);
  if (typeof work !== 'function') throw new TypeError('The script of the thread has no function as its default export.');
  const result = await work(job, { jobId, log });
  if (result?.constructor?.name === 'RetryRequest') return { kind: 'retry', delay: result.delay };
  return { kind: 'result', json: JSON.stringify(result) };
};
run().then(
  (message) => parentPort.postMessage(message),
  (thrown) => parentPort.postMessage({ kind: 'failure', error: errorOf(thrown) }),
);
`;
