import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { JobError } from '@oada/jobs';
import type { Service } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import { describe, expect, it } from 'vitest';

import { makeService, NAME, read, startServer } from '../setup.js';
import { environmentOf, folder, jsonOf, linesOf, run, runAlone, start, textOf } from './setup.js';

const HOSTILE = 'bad \u001b[2J\u009b31m\u202e scale\r\nsecond\u2028line';

/** A service that does a few kinds of work. */
async function serve(server: OADAServer): Promise<Service> {
  const service = makeService(server);
  service.on<{ name: string }>('greet', '10s', (job) => ({ greeting: `Hello, ${job.config.name}!` }));
  service.on('weigh', '10s', async (_job, { log }) => {
    await log.info(`weigh${HOSTILE}`, { [HOSTILE]: HOSTILE });
    throw new JobError(HOSTILE, { type: 'no-scale' });
  });
  service.on('wait', '60s', (_job, { signal, log }) => {
    void log.info('waiting', 'for a signal');
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  });
  await service.start();
  return service;
}

async function added(server: OADAServer, ...args: readonly string[]): Promise<string> {
  return (await textOf(server, 'add', ...args)).trim();
}

/** The id of a job that has failed. */
async function failed(server: OADAServer, type = 'weigh'): Promise<string> {
  const { code, stdout } = await run(server, 'add', type, '--wait', '--json');
  expect(code).toBe(6);
  return linesOf(stdout)[0].id;
}

describe('oada-jobs add', () => {
  it('prints the resource of the job, which holds what it was told', async () => {
    const server = await startServer();
    const oada = server.client();
    const id = await added(
      server,
      ...['plough', '--config', '{"acres": 3}', '--priority', '2', '--owner', 'users/ann'],
      ...[
        '--start-after',
        '2126-01-31T08:00:00Z',
        '--resource',
        'resources/one',
        '--resource',
        'resources/two',
      ],
    );
    expect(id).toMatch(/^resources\/\w+$/);
    expect(await read(oada, `/${id}`)).toMatchObject({
      ...{ service: NAME, type: 'plough', config: { acres: 3 }, priority: 2, owner: 'users/ann' },
      ...{ startAfter: '2126-01-31T08:00:00.000Z', resources: ['resources/one', 'resources/two'] },
    });
  });

  it('takes the config from a file and from stdin, and a key that makes it the same job', async () => {
    const server = await startServer();
    const oada = server.client();
    const cwd = folder();
    const environment = environmentOf(server);
    writeFileSync(join(cwd, 'rows.json'), '{"from": "file"}');
    const fromFile = await runAlone(['add', 'plough', '--config', '@rows.json'], { cwd, environment });
    expect(await read(oada, `/${fromFile.stdout.trim()}/config`)).toEqual({ from: 'file' });
    const piped = ['add', 'plough', '--config', '-', '--key', 'k', '--json', '--start-after', '10m'];
    const [one, other] = [
      await runAlone(piped, { environment, input: '{"from": "stdin"}' }),
      await runAlone(piped, { environment, input: '{"from": "stdin"}' }),
    ].map(({ stdout }) => linesOf(stdout)[0]);
    expect(one).toEqual({ id: expect.any(String), key: expect.any(String), service: NAME, type: 'plough' });
    expect(other).toEqual(one);
    const job = await read(oada, `/${one.id}`);
    expect(job.config).toEqual({ from: 'stdin' });
    expect(new Date(job.startAfter).getTime()).toBeGreaterThan(Date.now() + 500_000);
    const another = await runAlone(piped, { environment, input: '{"from": "elsewhere"}' });
    expect(another).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('has another config'),
    });
  });

  it('waits for the end, and prints the result, or has the exit code 6', async () => {
    const server = await startServer();
    await serve(server);
    const good = await run(server, 'add', 'greet', '--config', '{"name": "world"}', '--wait');
    expect(JSON.parse(good.stdout)).toEqual({ greeting: 'Hello, world!' });
    expect(good.code).toBe(0);
    const bad = await run(server, 'add', 'weigh', '--wait');
    expect(bad).toMatchObject({ code: 6, stdout: '' });
    const [, error = '', ...rest] = bad.stderr.trimEnd().split('\n');
    expect(error).toMatch(
      /^error: resources\/\w+ failed \(no-scale\): bad \\e\[2J\\u\{9b\}31m\\u\{202e\} scale/,
    );
    expect(rest).toEqual([]);
  });

  it('refuses what is no job, and adds nothing', async () => {
    const server = await startServer();
    for (const [args, message] of [
      [['plough', '--config', 'x'], '--config is no JSON'],
      [['plough', '--config', '[1]'], 'a JSON object'],
      [['plough', '--config', '@missing.json'], 'missing.json'],
      [['plough', '--owner', 'ann'], 'like users/ann'],
      [['plough', '--start-after', 'soon'], '2026-01-31T08:00:00Z'],
      [['plough', '--timeout', '5s'], '--wait'],
      [[], "missing required argument 'type'"],
    ] as const) {
      const { code, stdout, stderr } = await run(server, 'add', ...args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      expect(stderr).toContain(message);
      expect(stderr).toMatch(/^error: .*\n$/);
    }
    expect(await textOf(server, 'list')).toBe('');
  });
});

describe('oada-jobs list', () => {
  it('shows the jobs of each list, by type, owner, day and text, in pages', async () => {
    const server = await startServer();
    const service = await serve(server);
    const done = await jsonOf(
      server,
      'add',
      'greet',
      '--config',
      '{"name": "Zoe"}',
      '--owner',
      'users/ann',
      '--wait',
    );
    const bad = await failed(server);
    const running = await added(server, 'wait');
    const waiting = [
      await added(server, 'wait', '--start-after', '1h'),
      await added(server, 'greet', '--start-after', '1h'),
    ];
    const day = new Date().toISOString().slice(0, 10);
    const idsOf = async (...args: string[]): Promise<string[]> =>
      (await jsonOf(server, 'list', ...args)).map(({ id }) => id).toSorted();

    expect(await idsOf()).toEqual([running, ...waiting].toSorted());
    expect(await idsOf('pending', '--type', 'greet')).toEqual([waiting[1]]);
    expect(await idsOf('running')).toEqual([running]);
    expect(await idsOf('success', '--owner', 'users/ann', '--text', 'zoe')).toEqual([done[0].id]);
    expect(await idsOf('success', '--owner', 'users/bob')).toEqual([]);
    expect(await idsOf('failure', '--day', day, '--failure-type', 'no-scale')).toEqual([bad]);
    expect(await idsOf('failure', '--day', '2001-01-01')).toEqual([]);
    expect(await idsOf('--limit', '1', '--all')).toEqual([running, ...waiting].toSorted());

    const first = await run(server, 'list', '--limit', '2', '--json');
    const [, cursor = ''] = /--after '([^']+)'/.exec(first.stderr) ?? [];
    const second = await jsonOf(server, 'list', '--limit', '2', '--after', cursor);
    expect([...linesOf(first.stdout), ...second].map(({ id }) => id).toSorted()).toEqual(
      [running, ...waiting].toSorted(),
    );

    const table = await textOf(server, 'list', 'failure');
    expect(table).toMatch(
      /^JOB +TYPE +FINISHED \(UTC\) +TOOK +ERROR\n\w+ +weigh +[-\d]+ [:\d]+ +\S+ +no-scale: bad \\e\[2J/,
    );
    expect(table.split('\n')).toHaveLength(3);
    await service.stop();
  });

  it('says what is wrong with what it was asked', async () => {
    const server = await startServer();
    for (const [args, message] of [
      [['pendin'], 'Did you mean pending?'],
      [['--tpye', 'x'], 'Did you mean --type?'],
      [['--day', '31.1.'], 'like 2026-01-31'],
      [['--limit', '0'], 'a whole number from 1'],
      [['--limit', '5000'], '--all'],
      [['success', '--after', 'nowhere'], '`next` of the page before'],
      [['pending', 'x'], 'too many arguments'],
    ] as const) {
      const { code, stdout, stderr } = await run(server, 'list', ...args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      expect(stderr).toContain(message);
    }
  });

  it('ends without a word when nobody reads on', async () => {
    const server = await startServer();
    for (let count = 0; count < 3; count++) await added(server, 'plough');
    const list = start(server, 'list', '--all', '--limit', '1', '--json');
    list.stopReading();
    expect(await list.ended()).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('oada-jobs show', () => {
  it('shows a job that holds what would act on a terminal, by its resource and by its key', async () => {
    const server = await startServer();
    await serve(server);
    const id = await failed(server);
    const shown = await textOf(server, 'show', id);
    expect(shown).toBe(await textOf(server, 'show', id.replace('resources/', '')));
    expect(shown).toMatch(/^State: +failure$/m);
    expect(shown).toMatch(
      /^Error: +no-scale: bad \\e\[2J\\u\{9b\}31m\\u\{202e\} scale\\r\\nsecond\\u\{2028\}line$/m,
    );
    expect(shown).toContain(String.raw`weighbad \e[2J`);
    const [job] = await jsonOf(server, 'show', id);
    expect(job).toMatchObject({
      id,
      type: 'weigh',
      state: 'failure',
      error: { message: HOSTILE, type: 'no-scale' },
    });
  });
});

describe('oada-jobs logs', () => {
  it('prints what is logged, and follows a job to its end', async () => {
    const server = await startServer();
    await serve(server);
    const id = await added(server, 'wait');
    const follower = start(server, 'logs', '-f', id);
    await follower.printed('waiting  for a signal');
    await textOf(server, 'cancel', id);
    const { code, stdout } = await follower.ended();
    expect(code).toBe(0);
    const statuses = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('  ')[1]);
    expect(statuses).toEqual(['started', 'waiting', 'failure']);
    expect((await jsonOf(server, 'logs', id)).map(({ status }) => status)).toEqual(statuses);
    expect((await jsonOf(server, 'logs', '--follow', id)).map(({ status }) => status)).toEqual(statuses);
  });
});

describe('oada-jobs wait', () => {
  it('tells how a job ends, and how long it was waited for', async () => {
    const server = await startServer();
    await serve(server);
    const [good] = await jsonOf(server, 'add', 'greet', '--config', '{"name": "Sam"}', '--wait');
    expect(await jsonOf(server, 'wait', good.id)).toEqual([
      { id: good.id, status: 'success', result: { greeting: 'Hello, Sam!' } },
    ]);
    const bad = await failed(server);
    const { code, stdout } = await run(server, 'wait', bad, '--json');
    expect(code).toBe(6);
    expect(linesOf(stdout)).toEqual([
      { id: bad, status: 'failure', error: { message: HOSTILE, type: 'no-scale' } },
    ]);
    const endless = await added(server, 'wait');
    expect(await run(server, 'wait', endless, '--timeout', '50ms')).toEqual({
      code: 124,
      stdout: '',
      stderr: `error: ${endless} was not over within 50 ms. It goes on.\n`,
    });
  });
});

describe('oada-jobs cancel', () => {
  it('has jobs cancelled, and waits for that', async () => {
    const server = await startServer();
    const service = await serve(server);
    const [one, other] = [await added(server, 'wait'), await added(server, 'wait', '--start-after', '1h')];
    expect(await textOf(server, 'cancel', one, other, '--wait')).toBe(
      `${one}: cancelled\n${other}: cancelled\n`,
    );
    expect(await run(server, 'cancel', one)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is over'),
    });
    await service.stop();
    const last = await added(server, 'wait');
    const asked = await run(server, 'cancel', last, '--json');
    expect(linesOf(asked.stdout)).toEqual([{ id: last, asked: true }]);
    expect(asked.stderr).toContain('no instance of tractor is alive');
    const second = await added(server, 'wait');
    expect(await run(server, 'cancel', second, 'nobody')).toMatchObject({ code: 3, stdout: '' });
    const { cancel } = await read(server.client(), `/bookmarks/services/${NAME}/controls`);
    expect(Object.keys(cancel)).toEqual([last.replace('resources/', '')]); // none where a name is wrong
  });
});

describe('oada-jobs retry', () => {
  it('has one failure done again, once', async () => {
    const server = await startServer();
    const service = await serve(server);
    const id = await failed(server);
    const [retried] = await jsonOf(server, 'retry', id);
    expect(retried).toEqual({ id, retriedBy: expect.stringMatching(/^resources\//), isNew: true });
    expect(await textOf(server, 'retry', id)).toBe(`${id}: was retried before by ${retried.retriedBy}\n`);
    await service.stop();
    const waiting = await added(server, 'greet');
    const refused = await run(server, 'retry', waiting);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('has not failed') });
  });

  it('has all failures of a kind done again, where somebody says so', async () => {
    const server = await startServer();
    const service = await serve(server);
    const ids = [await failed(server), await failed(server)].toSorted();
    await failed(server, 'unheard-of');
    await service.stop();
    const day = new Date().toISOString().slice(0, 10);
    const filter = ['--type', 'weigh', '--day', day, '--failure-type', 'no-scale'];

    const asked = await run(server, 'retry', ...filter);
    expect(asked).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Retry 2 failures of tractor?'),
    });
    expect((await textOf(server, 'retry', ...filter, '--dry-run')).trim().split('\n').toSorted()).toEqual(
      ids,
    );
    expect(await textOf(server, 'list')).toBe('');
    const retried = await jsonOf(server, 'retry', ...filter, '--yes');
    expect(retried.map(({ id }) => id).toSorted()).toEqual(ids);
    const pending = await jsonOf(server, 'list');
    expect(pending.map(({ id }) => id).toSorted()).toEqual(
      retried.map(({ retriedBy }) => retriedBy).toSorted(),
    );
  });

  it('wants to know which, and not twice', async () => {
    const server = await startServer();
    expect(await run(server, 'retry')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--failure-type'),
    });
    expect(await run(server, 'retry', 'x', '--all')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not both'),
    });
  });
});
