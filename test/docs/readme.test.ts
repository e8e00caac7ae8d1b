import { submit, waitForJob } from '@oada/jobs';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';

import { read, startServer, TOKEN } from '../setup.js';
import { blocksOf } from './blocks.js';
import { textOf } from './documents.js';
import { Program } from './program.js';

const { fileOf, remove } = blocksOf('README.md');
afterAll(remove);

describe('the README', () => {
  it('shows a service that does what it is asked for, and has a schedule', async () => {
    const server = await startServer();
    const program = await Program.start(fileOf('greeter'), { OADA_DOMAIN: server.url, OADA_TOKEN: TOKEN });
    onTestFinished(() => program[Symbol.asyncDispose]());
    await program.printed('Waiting for jobs');

    const oada = server.client(TOKEN);
    const job = await submit(oada, { service: 'greeter', type: 'hello', config: { name: 'world' } });
    expect((await waitForJob(oada, job)).result).toEqual({ greeting: 'Hello, world!' });
    const { updates } = await read(oada, `/${job._id}`);
    expect(Object.values(updates as object)).toContainEqual(
      expect.objectContaining({ status: 'greeting', meta: { name: 'world' } }),
    );
    expect(await read(oada, '/bookmarks/services/greeter/schedules/good-morning')).toMatchObject({
      type: 'hello',
      timing: { cron: '0 7 * * 1-5' },
    });

    program.signal('SIGINT');
    expect(await program.exited(), program.output).toBe(0);
  });

  it('says truly that the service has about twenty lines', () => {
    const [, code = ''] = /<!-- run: greeter -->\n\n```ts\n(.*?)```/s.exec(textOf('README.md')) ?? [];
    expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(20);
  });

  it('shows figures that the bench has', () => {
    const bench = textOf('bench/README.md');
    const [, section = ''] = /\n## Figures\n(.*?)\n## /s.exec(textOf('README.md')) ?? [];
    const figures = [
      ...section.matchAll(/^\| [^|]+\| +([\d.,]+(?: to [\d.]+)?)[ \w]*\| +`npm run bench -- (\w+)`/gm),
    ];
    expect(figures.length).toBeGreaterThan(3);
    for (const [row, figure = '', name = ''] of figures) {
      expect(bench, row).toContain(`| \`${name}\``);
      for (const part of figure.split(' to ')) {
        const [, shown = ''] = /^([\d.]+)$/.exec(part) ?? [];
        const all = [...bench.matchAll(/│ ([\d.]+) +│/g)].map(([, one = '']) => Number(one));
        expect(
          all.some((one) => one.toFixed(decimalsOf(shown)) === shown),
          row,
        ).toBe(true);
      }
    }
  });
});

function decimalsOf(figure: string): number {
  return figure.split('.')[1]?.length ?? 0;
}
