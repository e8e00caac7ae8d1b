import { join } from 'node:path';

import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';

import { startServer, TOKEN } from '../setup.js';
import { blocksOf } from './blocks.js';
import { Program, root } from './program.js';

const { names, count, told, fileOf, remove } = blocksOf('docs/scheduling.md');

afterAll(remove);

describe('what is said of scheduling', () => {
  it('is run, or says why not', () => {
    expect(told).toBe(count);
    expect(names).toEqual(['operator', 'service']);
  });

  it('is what the strictest of compilers takes', () => {
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
      config: object;
    };
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [] }, ts.sys, root);
    const program = ts.createProgram(names.map(fileOf), options);
    const diagnostics = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
    expect(diagnostics).toEqual([]);
  }, 60_000);

  it('shows a service whose schedules follow each other, and what an operator does with them', async () => {
    const server = await startServer();
    const environment = { domain: server.url, token: TOKEN };
    await using service = await Program.start(fileOf('service'), environment);
    await service.printed('Waiting for half past five');

    await using operator = await Program.start(fileOf('operator'), environment);
    expect(await operator.exited(), operator.output).toBe(0);
    const [backUp, weighing, ...due] = operator.output.trimEnd().split('\n');
    expect(backUp).toMatch(/^back-up back-up true (has not run yet|success)$/);
    expect(weighing).toMatch(/^weighing weigh true (has not run yet|success)$/);
    const hours = due.map((line) => {
      const time = new Date(line.replace('due ', ''));
      return time.toLocaleTimeString('en-GB', { timeZone: 'America/New_York' });
    });
    expect(hours.toSorted()).toEqual(['06:00:00', '18:00:00']);

    await service.printed('weighing: success');
    await service.printed('back-up: success');
    service.signal('SIGINT');
    expect(await service.exited(), service.output).toBe(0);
  });
});
