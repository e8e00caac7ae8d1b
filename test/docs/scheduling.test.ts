import { afterAll, describe, expect, it } from 'vitest';

import { startServer, TOKEN } from '../setup.js';
import { blocksOf } from './blocks.js';
import { Program } from './program.js';

const { fileOf, remove } = blocksOf('docs/learning/scheduling.md');

afterAll(remove);

describe('what is said of scheduling', () => {
  it('shows a service whose schedules follow each other, and what an operator does with them', async () => {
    const server = await startServer();
    const environment = { OADA_DOMAIN: server.url, OADA_TOKEN: TOKEN };
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
