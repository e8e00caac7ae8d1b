import { describe, expect, it } from 'vitest';

import { confirm } from '../../lib/cli/confirm.js';
import { FakeProcess } from './in-process.js';

/** A command that is waited for, and prints a line for each of some steps. */
async function work(fake: FakeProcess, happens: () => void, isAction: boolean): Promise<number> {
  const cli = fake.invocation();
  let steps = 0;
  await cli.run(async () => {
    cli.endsItself();
    if (isAction) cli.goesOnUnread();
    for (; steps < 3 && !cli.signal.aborted; steps++) {
      cli.output.line('a step');
      if (steps === 0) happens();
      await Promise.resolve();
    }
  });
  return steps;
}

describe('a command that ends by itself', () => {
  it('goes on when nobody reads what it prints, and that is no failure', async () => {
    const fake = new FakeProcess();
    expect(await work(fake, () => fake.stdout.fail(), true)).toBe(3);
    expect(fake.ended.code).toBe(0);
  });

  it('ends where it only tells something, and that is no failure either', async () => {
    const fake = new FakeProcess();
    expect(await work(fake, () => fake.stdout.fail(), false)).toBe(1);
    expect(fake.ended.code).toBe(0);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('says that it was interrupted by %s', async (signal, code) => {
    const fake = new FakeProcess();
    expect(await work(fake, () => fake.emit(signal), true)).toBe(1);
    expect(fake.ended.code).toBe(code);
  });

  it('has failed where its results cannot be written', async () => {
    const fake = new FakeProcess();
    const isFull = (): void => {
      fake.stdout.emit('error', Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    };
    expect(await work(fake, isFull, true)).toBe(1);
    expect(fake.ended.code).toBe(1);
  });
});

describe('the question', () => {
  const ask = async (type: (stdin: FakeProcess['stdin']) => void): Promise<boolean> => {
    const fake = new FakeProcess();
    fake.beTerminal();
    const cli = fake.invocation();
    const done: string[] = [];
    await cli.run(async () => {
      const asked = confirm(cli, 'Delete all?', undefined);
      type(fake.stdin);
      await asked;
      done.push('all');
    });
    expect(fake.ended.code).toBe(done.length === 1 ? 0 : 1);
    return done.length === 1;
  };

  it('takes yes for yes, and anything else for no', async () => {
    expect(await ask((stdin) => stdin.write('y\n'))).toBe(true);
    expect(await ask((stdin) => stdin.write('\n'))).toBe(false);
  });

  it('takes Ctrl-D for no', async () => {
    expect(await ask((stdin) => stdin.end())).toBe(false);
  });
});
