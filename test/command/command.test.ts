import { JobError } from '@oada/jobs';
import { afterEach, describe, expect, test, vi } from 'vitest';

import { eventsOf, jobOf, runJob, TOKEN } from '../setup.js';
import { NODE, outputOf, runCommand, runScript, start, updatesOf } from './setup.js';

afterEach(() => {
  vi.unstubAllEnvs();
});

const PRINT_ARGS = 'console.log(JSON.stringify(process.argv.slice(1)))';
const PRINT_ENV = 'console.log(JSON.stringify(process.env))';
const ECHO = 'process.stdin.pipe(process.stdout)';

describe('a command that exits with status 0', () => {
  test('is a success, whose result holds what it printed', async () => {
    const job = await runScript('console.log("out"); console.error("err")');
    expect(job).toMatchObject({
      status: 'success',
      result: { exitCode: 0, stdout: 'out\n', stderr: 'err\n' },
    });
    expect(job.result.duration).toBeGreaterThan(0);
    expect(job.result).not.toHaveProperty('dropped');
    expect(updatesOf(job).map(({ status }) => status)).toEqual(['started', 'success']);
  });

  test('has its JSON for the result where that is asked for, and its complaints in an update', async () => {
    const script = 'console.log(JSON.stringify({ tonnes: [1, 2] })); console.error("dusty")';
    const job = await runScript(script, { output: 'json' });
    expect(job).toMatchObject({ status: 'success', result: { tonnes: [1, 2] } });
    expect(outputOf(job)).toEqual({ stdout: '', stderr: 'dusty\n' });
  });

  test.each([
    ['is none', 'console.log("secret {")', {}, 'printed what is no JSON'],
    ['is not there', '', {}, 'printed what is no JSON'],
    ['is no UTF-8', 'process.stdout.write(Buffer.from([34, 255, 34]))', {}, 'printed what is no JSON'],
    [
      'is too long',
      `console.log(JSON.stringify('x'.repeat(200)))`,
      { maxOutput: 100 },
      'more than the 100 bytes',
    ],
  ])('is a failure of type output where its JSON %s', async (_what, script, options, message) => {
    const job = await runScript(script, { output: 'json', ...options });
    expect(job).toMatchObject({
      status: 'failure',
      failureType: 'output',
      result: { name: 'JobError', message: expect.stringContaining(message) },
    });
    expect(job.result.message).not.toContain('secret');
    if (script !== '') expect(outputOf(job).stdout).not.toBe('');
  });
});

describe('a command that ends otherwise', () => {
  test('with another status is a failure of type exit, with its output in updates', async () => {
    const { service, oada, told } = await start({
      command: NODE,
      args: ['--eval', 'console.log("half"); console.error("no diesel"); process.exitCode = 3'],
    });
    const job = await runJob(service, oada, jobOf('command'));
    expect(job).toMatchObject({
      status: 'failure',
      failureType: 'exit',
      result: { name: 'JobError', message: expect.stringMatching(/node" exited with status 3\.$/) },
    });
    expect(outputOf(job)).toEqual({ stdout: 'half\n', stderr: 'no diesel\n' });
    const [failed] = eventsOf(told, 'job:failed');
    expect(failed?.error).toBeInstanceOf(JobError);
  });

  test('may have its status called a success', async () => {
    const job = await runScript('process.exitCode = 3', { successCodes: [0, 3] });
    expect(job).toMatchObject({ status: 'success', result: { exitCode: 3 } });
  });

  test('by a signal is a failure of type signal', async () => {
    const job = await runScript('console.log("so far"); process.kill(process.pid, "SIGKILL")');
    expect(job).toMatchObject({
      status: 'failure',
      failureType: 'signal',
      result: { message: expect.stringContaining('was killed by SIGKILL') },
    });
  });

  test('is run again where its type has retries', async () => {
    const { service, oada, told } = await start({
      command: NODE,
      args: ['--eval', 'process.exitCode = 1'],
      retries: { limit: 1, backoff: 1 },
    });
    const job = await runJob(service, oada, jobOf('command'));
    expect(job).toMatchObject({ status: 'failure', attempts: 2 });
    expect(eventsOf(told, 'job:postponed')).toHaveLength(1);
  });
});

describe('a command that cannot be started is a failure of type spawn', () => {
  test.each([
    ['there is no such program', { command: 'no-such-program' }, /"no-such-program" could not be .* ENOENT$/],
    [
      'there is no such file',
      { command: '/no/such/program' },
      /"\/no\/such\/program" could not be .* ENOENT$/,
    ],
    ['it is no program', { command: '/etc/passwd' }, /"\/etc\/passwd" could not be .* EACCES$/],
    ['there is no such folder', { command: NODE, cwd: '/no/such/folder' }, /"cwd".*\/no\/such\/folder/],
  ])('when %s', async (_why, options, message) => {
    const job = await runCommand({ args: ['corn'], ...options });
    expect(job).toMatchObject({ status: 'failure', failureType: 'spawn', result: { name: 'JobError' } });
    expect(job.result.message).toMatch(message);
    expect(job.result.message).not.toContain('corn');
  });

  test('when its arguments are longer than the system takes', async () => {
    const job = await runCommand({ command: NODE, args: () => ['x'.repeat(4_000_000)] });
    expect(job).toMatchObject({ status: 'failure', failureType: 'spawn' });
    expect(job.result.message).toMatch(/E2BIG$/);
  });
});

describe('its arguments', () => {
  const HOSTILE = [
    '; rm -rf /',
    '$(id)',
    '`id`',
    '| cat',
    '&& id',
    '> /tmp/x',
    '*',
    '~',
    '"',
    "'",
    '\\',
    '\n',
    '',
  ];

  test('are handed over as they are: there is no shell', async () => {
    const job = await runScript('', { args: ['--eval', PRINT_ARGS, '--', ...HOSTILE], output: 'json' });
    expect(job.result).toEqual(HOSTILE);
  });

  test('may be made from the job', async () => {
    const job = await runScript(
      '',
      { args: ({ config }) => ['--eval', PRINT_ARGS, '--', ...config.words], output: 'json' },
      { words: HOSTILE },
    );
    expect(job.result).toEqual(HOSTILE);
  });

  test.each([
    ['are no list', 'words', /expected `args` to be a list/],
    ['are no texts', ['a', 7], /expected `args\[1\]` to be text/],
    ['hold a null character', ['secret\0'], /expected `args\[0\]` to be text without null characters/],
  ])('fail the job when they %s', async (_what, words, message) => {
    const job = await runScript('', { args: ({ config }) => config.words }, { words });
    expect(job).toMatchObject({ status: 'failure', result: { code: 'OADA_JOBS_CONFIG' } });
    expect(job.result.message).toMatch(message);
    expect(job.result.message).not.toContain('secret');
  });

  test('fail the job when the function throws', async () => {
    const args = (): string[] => {
      throw new RangeError('no such field');
    };
    const job = await runScript('', { args });
    expect(job).toMatchObject({
      status: 'failure',
      result: { name: 'RangeError', message: 'no such field' },
    });
  });
});

describe("the job's config", () => {
  const CONFIG = { field: 'north', text: 'Größe\n\u0000"' };

  test('comes on standard input', async () => {
    expect((await runScript(ECHO, { output: 'json' }, CONFIG)).result).toEqual(CONFIG);
  });

  test('comes in a variable where one is named, and standard input is empty then', async () => {
    const script = `${ECHO}; process.stdin.on('end', () => console.log(process.env.JOB_CONFIG))`;
    expect((await runScript(script, { output: 'json', configInEnv: 'JOB_CONFIG' }, CONFIG)).result).toEqual(
      CONFIG,
    );
  });

  test('comes in both ways on request, and in none', async () => {
    const script = `${ECHO}; process.stdin.on('end', () => console.log('', process.env.C))`;
    const both = await runScript(script, { configInEnv: 'C', input: 'config' }, { a: 1 });
    expect(both.result.stdout).toBe('{"a":1} {"a":1}\n');
    const none = await runScript(script, { input: 'none' }, { a: 1 });
    expect(none.result.stdout).toBe(' undefined\n');
  });

  test('need not be read, however large', async () => {
    const config = { text: 'x'.repeat(5_000_000) };
    for (const script of ['process.exit(0)', 'process.stdin.destroy(); console.log("closed")']) {
      expect(await runScript(script, {}, config)).toMatchObject({ status: 'success' });
    }
  });

  test('has to be what the schema says', async () => {
    const job = await runScript(ECHO, { config: { required: ['field'] } });
    expect(job).toMatchObject({ status: 'failure', failureType: 'invalid' });
  });
});

describe('its environment', () => {
  test('holds what programs need and the id of the job, and no more of this process', async () => {
    vi.stubEnv('STORE_TOKEN', TOKEN);
    const job = await runScript(PRINT_ENV, { output: 'json' });
    const names = Object.keys(job.result).filter((name) => !name.startsWith('__')); // macOS adds such
    expect(job.result).toMatchObject({ PATH: process.env['PATH'], JOB_ID: job._id });
    expect(JSON.stringify(job)).not.toContain('[token]');
    for (const name of names) {
      expect(name).toMatch(
        /^(PATH|HOME|USER|LOGNAME|SHELL|TZ|TMPDIR|TEMP|TMP|LANG|LANGUAGE|LC_[A-Z]+|JOB_ID)$/,
      );
    }
  });

  test('holds what it is given, and what it is to inherit', async () => {
    vi.stubEnv('SILO', 'seven');
    const options = {
      env: { FARM: 'home', TZ: 'UTC' },
      inheritEnv: ['SILO', 'NOT_THERE'],
      output: 'json',
    } as const;
    const { result } = await runScript(PRINT_ENV, options);
    expect(result).toMatchObject({ FARM: 'home', TZ: 'UTC', SILO: 'seven' });
    expect(result).not.toHaveProperty('NOT_THERE');
  });

  test('may hold the token on request; printed, it is not stored', async () => {
    const script =
      'console.log(process.env.TOKEN, process.argv[1]); process.exitCode = Number(process.argv[1])';
    for (const code of ['0', '1']) {
      const job = await runScript('', { args: ['--eval', script, '--', code], env: { TOKEN } });
      expect(JSON.stringify(job)).toContain(`[token] ${code}`);
      expect(JSON.stringify(job)).not.toContain(TOKEN);
    }
  });
});

test('it runs in the folder that is named', async () => {
  const job = await runScript('console.log(process.cwd())', { cwd: '/' });
  expect(job.result.stdout).toBe('/\n');
});
