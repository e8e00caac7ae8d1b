import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';

import { piecesOf, tailOf, textOf } from '../../lib/command/tail.js';
import { jobOf, read, runJob } from '../setup.js';
import { begin, NODE, newMark, outputOf, runScript, start, untilGrown, updatesOf } from './setup.js';

const MIB = 1024 * 1024;

/** Prints so many MiB of numbered lines as fast as it can, waiting where it has to. */
const FLOOD = `
  const lines = Number(process.argv[1]) * 16_384;
  const rest = '-'.repeat(55) + '\\n';
  let line = 0;
  const go = () => {
    while (line < lines) {
      let chunk = '';
      for (const end = line + 1024; line < end; line++) chunk += String(line).padStart(8) + rest;
      if (!process.stdout.write(chunk)) return process.stdout.once('drain', go);
    }
    process.stderr.write('all told\\n', () => process.exit(Number(process.argv[2])));
  };
  go();
`;

/** The most memory that was held more than at the beginning, in bytes, while something went on. */
async function growthDuring(work: () => Promise<unknown>): Promise<number> {
  const held = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = held();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, held())), 5);
  onTestFinished(() => clearInterval(timer));
  await work();
  return most - before;
}

describe('a command that floods its output', () => {
  test.each([
    ['succeeds', '0', 'success'],
    ['fails', '1', 'failure'],
  ])('and %s leaves the end of it, and takes little memory', async (_how, code, status) => {
    const { service, oada } = await start({
      command: NODE,
      args: ['--eval', FLOOD, '--', '400', code],
      timeout: '1m',
    });
    let id = '';
    const growth = await growthDuring(async () => {
      id = (await runJob(service, oada, jobOf('command')))._id;
    });

    expect(growth).toBeLessThan(100 * MIB);
    const job = await read(oada, `/${id}`);
    expect(job.status).toBe(status);
    const { stdout, stderr } = status === 'success' ? job.result : outputOf(job);
    const dropped =
      status === 'success'
        ? job.result.dropped.stdout
        : updatesOf(job).find(({ meta }) => meta?.dropped > 0).meta.dropped;
    expect(stderr).toBe('all told\n');
    expect(stdout).toMatch(/^ *\d+-+\n/); // from the beginning of a line
    expect(stdout.endsWith(`${String(400 * 16_384 - 1).padStart(8)}${'-'.repeat(55)}\n`)).toBe(true);
    expect(stdout.length).toBeGreaterThanOrEqual(64 * 1024 - 64);
    expect(Number(stdout.length) + Number(dropped)).toBe(400 * MIB);
  });

  test('and never ends is ended in time', async () => {
    const { service, oada } = await start({ command: '/usr/bin/env', args: ['yes', 'no'], timeout: '500ms' });
    const job = await runJob(service, oada, jobOf('command'));
    expect(job).toMatchObject({ status: 'failure', failureType: 'timeout' });
    expect(outputOf(job).stdout).toMatch(/^(no\n)+(no?)?$/);
  });
});

test('what was printed so far is on the job when it is cancelled', async () => {
  const mark = newMark();
  const script = `
    process.stdout.write('so far', () => { process.title = 'grown ' + process.argv[1]; });
    setInterval(() => undefined, 60_000);
  `;
  const setting = await start({ command: NODE, args: ['--eval', script, '--', mark] });
  const { key, jobId } = await begin(setting);
  await untilGrown(mark, 1);
  const filed = setting.service.events.next('job:filed');
  await setting.service.cancel(key);
  await filed;
  const job = await read(setting.oada, `/${jobId}`);
  expect(updatesOf(job).map(({ status, meta }) => meta?.text ?? status)).toEqual([
    'started',
    'so far',
    'failure',
  ]);
});

test('bytes that are no UTF-8 are shown as such, and characters that come in parts are whole', async () => {
  const script = `
    const bytes = Buffer.concat([Buffer.from('Größe 🌾 '), Buffer.from([0xff, 0xfe, 0]), Buffer.from(' end')]);
    let at = 0;
    const go = () => at < bytes.length && process.stdout.write(bytes.subarray(at, ++at), go);
    go();
  `;
  expect((await runScript(script)).result.stdout).toBe('Größe 🌾 \uFFFD\uFFFD\0 end');
});

test('much output of a failure is kept in several updates', async () => {
  const script = 'process.stdout.write("\\0".repeat(100_000)); process.exitCode = 1';
  const job = await runScript(script, { maxOutput: 200_000 });
  expect(outputOf(job).stdout).toBe('\0'.repeat(100_000));
  const stored = updatesOf(job).filter(({ status }) => status === 'output');
  expect(stored.map(({ meta }) => meta.text.length)).toEqual([40_000, 40_000, 20_000]);
});

describe('the tail of a stream', () => {
  test('is the end of what was written, in whatever pieces that came', () => {
    const pieces = fc.array(fc.uint8Array({ min: 0x80, max: 0xff, maxLength: 40 }), { maxLength: 20 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 1, max: 64 }), (chunks, limit) => {
        const tail = tailOf(limit);
        for (const chunk of chunks) tail.add(chunk);
        const all = Buffer.concat(chunks);
        const { bytes, dropped } = tail.read();
        expect(dropped + bytes.length).toBe(all.length);
        expect(Buffer.from(bytes).equals(all.subarray(dropped))).toBe(true);
        expect(bytes.length).toBeLessThanOrEqual(limit);
        expect(bytes.length).toBeGreaterThanOrEqual(Math.min(all.length, Math.floor(limit / 2)));
      }),
    );
  });

  test('is empty when it was cleared, and goes on', () => {
    const tail = tailOf(4);
    tail.add(Buffer.from('before'));
    tail.clear();
    expect(tail.read()).toEqual({ bytes: new Uint8Array(), dropped: 0 });
    tail.add(Buffer.from('new'));
    expect(textOf(tail.read().bytes)).toBe('new');
  });

  test.each([
    ['a line', 'one two\nthree four five', 16, 'three four five'],
    ['a word, where no line begins soon', 'one twotwo three\nfour', 16, 'three\nfour'],
    ['a character', 'xxüüüü', 7, 'üüü'],
    ['where it was cut, at worst', 'xxxxxxxxxx', 7, 'xxxxxxx'],
  ])('begins with %s', (_what, text, limit, kept) => {
    const tail = tailOf(limit);
    tail.add(Buffer.from(text));
    expect(textOf(tail.read().bytes)).toBe(kept);
  });
});

describe('text in pieces', () => {
  test('is all of the text, and no piece is too long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 20 }), (text, length) => {
        const pieces = [...piecesOf(text, length)];
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) {
          expect(piece.length).toBeLessThanOrEqual(length);
          expect(piece).not.toBe('');
          expect(piece).not.toMatch(/[\uD800-\uDBFF]$/);
        }
      }),
    );
  });

  test('is cut between lines, or else words', () => {
    expect([...piecesOf('one\ntwo three four', 8)]).toEqual(['one\n', 'two ', 'three ', 'four']);
  });
});
