import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { Program, root } from '../docs/program.js';
import { startServer, TOKEN } from '../setup.js';

test.each(['ws', 'http'])(
  'a stopped service leaves nothing that keeps the process of its client over %s alive',
  async (connection) => {
    const server = await startServer();
    const file = join(root, 'test/programs/stop-and-disconnect.ts');
    const program = await Program.start(file, { domain: server.url, token: TOKEN, connection });
    onTestFinished(() => program[Symbol.asyncDispose]());
    await program.printed('disconnected');
    const begun = performance.now();
    await program.exited();
    expect(performance.now() - begun).toBeLessThan(3000);
  },
);
