import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cleanJson, cleanText } from '../../lib/cli/clean-text.js';
import { Output } from '../../lib/cli/output.js';
import { lengthOf } from '../../lib/cli/wording.js';

const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const ESCAPE = '\u001b';

class Screen {
  readonly isTTY: boolean;
  columns = 40;
  text = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.text += text;
  }
}

async function outputTo(isTTY: boolean, environment: Record<string, string> = {}): Promise<[Output, Screen]> {
  const stdout = new Screen(isTTY);
  const output = new Output({ stdout, stderr: new Screen(isTTY), environment });
  await output.prepare();
  return [output, stdout];
}

/** Any text, with what is dangerous in it again and again. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\u001b[2J', '\u009b', '\u202e', '\n', '\ud800', '\u2028'),
    ),
  )
  .map((parts) => parts.join(''));

describe('what a job holds', () => {
  it('never reaches the terminal as it is, whatever it is', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(cleanText(text)).not.toMatch(UNSAFE);
        const json = cleanJson(JSON.stringify({ [text]: text }));
        expect(json).not.toMatch(UNSAFE);
        expect(JSON.parse(json)).toEqual({ [text]: text });
      }),
    );
    expect(cleanText('a\u001b[31m\nb\u202ec\u{e0041}')).toBe(String.raw`a\e[31m\nb\u{202e}c\u{e0041}`);
    expect(cleanText('Grüße, 世界 👩‍🌾 می‌خواهم')).toBe('Grüße, 世界 👩‍🌾 می‌خواهم');
  });

  it('stays in its cell of a table, and in its line', async () => {
    const [output, screen] = await outputTo(false);
    await output.table(
      [{ title: 'ONE' }, { title: 'TWO' }],
      [
        ['a\nb', `${ESCAPE}[2J`],
        ['c', ''],
      ],
    );
    output.line('x\r', { text: '\ty', style: 'red' });
    output.fields('p\tq', 'r');
    expect(screen.text).toBe('ONE   TWO\na\\nb  \\e[2J\nc\nx\\r\\ty\np\\tq\tr\n');
  });
});

describe('colour', () => {
  it('is there on a terminal alone, and not where it is not wanted', async () => {
    const print = async (isTTY: boolean, environment?: Record<string, string>): Promise<string> => {
      const [output, screen] = await outputTo(isTTY, environment);
      output.line({ text: 'done', style: 'green' }, ` ${ESCAPE}`);
      return screen.text;
    };
    expect(await print(true)).toBe(`${ESCAPE}[32mdone${ESCAPE}[39m \\e\n`);
    expect(await print(false)).toBe('done \\e\n');
    expect(await print(true, { NO_COLOR: '1' })).toBe('done \\e\n');
    expect(await print(true, { TERM: 'dumb' })).toBe('done \\e\n');
  });
});

describe('a table', () => {
  it('is cut to the width of a terminal, and whole for a program', async () => {
    const rows = [['job', 'a message that is too long for this screen']];
    const columns = [{ title: 'JOB' }, { title: 'ERROR', isFlexible: true }];
    const [onTerminal, screen] = await outputTo(true, { NO_COLOR: '1' });
    await onTerminal.table(columns, rows);
    expect(screen.text).toBe('JOB  ERROR\njob  a message that is too long for thi…\n');
    const [widthless, unknown] = await outputTo(true, { NO_COLOR: '1' });
    unknown.columns = 0;
    await widthless.table(columns, rows);
    expect(unknown.text).toContain('for this screen\n');
    const [toProgram, pipe] = await outputTo(false);
    await toProgram.table(columns, rows);
    expect(pipe.text).toContain('a message that is too long for this screen\n');
  });
});

describe('a token', () => {
  it('is printed nowhere, also where a job holds it', async () => {
    const [output, screen] = await outputTo(false);
    output.hide('t0ken"with\\all');
    output.line('it is t0ken"with\\all.');
    output.json({ 't0ken"with\\all': ['t0ken"with\\all'], at: new Date(0) });
    output.block({ deep: { er: 't0ken"with\\all' } });
    await output.table([{ title: 'T' }], [['t0ken"with\\all']]);
    expect(screen.text).not.toContain('t0ken');
    expect(screen.text).toContain('{"[token]":["[token]"],"at":"1970-01-01T00:00:00.000Z"}\n');
  });
});

describe('what people read', () => {
  it('are lengths of time in two units at most', () => {
    const lengths = [5, 999, 1200, 65_000, 3_600_000, 90_061_000];
    expect(lengths.map(lengthOf)).toEqual(['5ms', '999ms', '1.2s', '1m 5s', '1h', '1d 1h']);
  });
});
