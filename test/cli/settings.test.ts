import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { candidatesFor } from '../../lib/cli/completion.js';
import { createProgram } from '../../lib/cli/program.js';
import { readAllSettings, readSettings, serviceNamed } from '../../lib/cli/settings.js';
import type { StoreFlags } from '../../lib/cli/settings.js';
import { NAME, OTHER_TOKEN, startServer, TOKEN } from '../setup.js';
import { folder, runAlone } from './setup.js';

/** A home with a config file at its usual place. */
function home(config: unknown): string {
  const path = folder();
  mkdirSync(join(path, '.config/oada-jobs'), { recursive: true });
  writeFileSync(
    join(path, '.config/oada-jobs/config.json'),
    typeof config === 'string' ? config : JSON.stringify(config),
    {
      mode: 0o600,
    },
  );
  return path;
}

const STORES = {
  farm: { domain: 'farm.example', token: 'farm-t0ken', service: 'mailer' },
  test: { domain: 'http://localhost:1', tokenEnv: 'TEST_TOKEN' },
  file: { domain: 'file.example', tokenFile: 'file.token' },
};

describe('the store that a command is about', () => {
  it('is that of the first place that names one, with the token that belongs to it', async () => {
    const HOME = home({ default: 'farm', stores: STORES });
    writeFileSync(join(HOME, '.config/oada-jobs/file.token'), 'file-t0ken\n', { mode: 0o600 });
    writeFileSync(join(HOME, 'given'), 'given-t0ken');
    const variables = { HOME, OADA_DOMAIN: 'env.example', OADA_TOKEN: 'env-t0ken' };
    const found = async (flags: StoreFlags, environment: Record<string, string>): Promise<string> => {
      const { domain, token } = await readSettings(flags, environment);
      return `${domain} ${token}`;
    };
    expect(await found({}, { HOME })).toBe('farm.example farm-t0ken');
    expect(await found({}, variables)).toBe('env.example env-t0ken');
    expect(await found({ store: 'farm' }, variables)).toBe('farm.example farm-t0ken');
    expect(await found({ store: 'test' }, { ...variables, TEST_TOKEN: 'test-t0ken' })).toBe(
      'http://localhost:1 test-t0ken',
    );
    expect(await found({ store: 'file' }, variables)).toBe('file.example file-t0ken');
    expect(await found({ domain: 'x.example' }, variables)).toBe('x.example env-t0ken');
    expect(await found({ domain: 'x.example', token: 'own' }, variables)).toBe('x.example own');
    expect(await found({ tokenFile: join(HOME, 'given') }, variables)).toBe('env.example given-t0ken');
    const all = await readAllSettings({}, { ...variables, TEST_TOKEN: 't' });
    expect(all.map(({ name }) => name)).toEqual(['farm', 'test', 'file']);
    const moved = { HOME: '/nowhere', XDG_CONFIG_HOME: join(HOME, '.config') };
    expect(await found({}, moved)).toBe('farm.example farm-t0ken');
    expect(
      await found({ configFile: join(HOME, '.config/oada-jobs/config.json') }, { HOME: '/nowhere' }),
    ).toBe('farm.example farm-t0ken');
  });

  it('is refused where something of it is missing or wrong, and no token is told', async () => {
    const HOME = home({ stores: STORES });
    const wrong: readonly (readonly [StoreFlags, Record<string, string>, string])[] = [
      [{}, { HOME: '/nowhere' }, 'no store was named'],
      [{}, { HOME }, 'no store was named'], // there are several, and no default
      [{ store: 'frm' }, { HOME }, 'did you mean farm?'],
      [{ store: 'test' }, { HOME }, 'TEST_TOKEN, and that is not set'],
      [{ store: 'file' }, { HOME }, 'cannot read the token'],
      [{ domain: 'x.example' }, { HOME }, 'set OADA_TOKEN'],
      [{ domain: 'x.example', store: 'farm' }, { HOME }, 'either --domain or --store'],
      [{ domain: 'x.example', token: 'a', tokenFile: 'b' }, { HOME }, 'either --token or --token-file'],
      [{ domain: 'x.example', token: 'two w0rds' }, { HOME }, 'visible ASCII characters'],
      [{ domain: 'https://me:secr3t@x.example', token: 'a' }, { HOME }, 'to hold no user'],
      [{ configFile: '/nowhere/config.json' }, { HOME }, 'cannot read the config file'],
      [{}, { HOME: home('{"stores": {"farm": "secr3t') }, 'has to be a JSON object'],
      [{}, { HOME: home({ stores: { a: { domain: 'a', tokne: 'secr3t' } } }) }, 'did you mean `token`?'],
      [{}, { HOME: home({ stores: { a: { token: 'secr3t' } } }) }, 'has no `domain`'],
      [
        {},
        { HOME: home({ stores: { a: { domain: 5, token: 'secr3t' } } }) },
        '`domain` of the store a has to be text',
      ],
      [{}, { HOME: home({ stores: { a: { domain: 'a.example' } } }) }, 'has no token'],
    ];
    for (const [flags, environment, message] of wrong) {
      const error: unknown = await readSettings(flags, environment).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ exit: 'usage', message: expect.stringContaining(message) });
      expect(String(error)).not.toMatch(/secr3t|w0rds/);
    }
  });

  it('has the service that is named first: by option, variable or config file', () => {
    const settings = { service: 'mailer' };
    expect(serviceNamed('given', settings, { OADA_JOBS_SERVICE: 'variable' })).toBe('given');
    expect(serviceNamed(undefined, settings, { OADA_JOBS_SERVICE: 'variable' })).toBe('variable');
    expect(serviceNamed(undefined, settings, {})).toBe('mailer');
    expect(() => serviceNamed(undefined, { service: undefined }, {})).toThrow('`oada-jobs services`');
    expect(() => serviceNamed('a/b', settings, {})).toThrow('cannot be the name');
  });

  it('comes with a warning where others can read its token', async () => {
    const server = await startServer();
    const stores = { here: { domain: server.url, token: TOKEN, service: NAME } };
    const cwd = home({ stores });
    const path = join(cwd, '.config/oada-jobs/config.json');
    expect(await runAlone(['list'], { cwd })).toMatchObject({
      code: 0,
      stderr: 'tractor: no such jobs (pending).\n',
    });
    chmodSync(path, 0o644);
    expect((await runAlone(['list'], { cwd })).stderr).toContain(
      `warning: ${path} holds a token, and others can read it: chmod 600 ${path}\n`,
    );
    const open = join(cwd, 'open.token');
    writeFileSync(open, OTHER_TOKEN);
    const { warnings } = await readSettings(
      {
        configFile: join(
          home({ stores: { a: { domain: server.url, tokenFile: open } } }),
          '.config/oada-jobs/config.json',
        ),
      },
      { HOME: cwd },
    );
    expect(warnings).toEqual([expect.stringContaining(`chmod 600 ${open}`)]);
  });
});

describe('completion', () => {
  const known = { stores: ['farm', 'test'], services: ['mailer', 'mailer'] };
  const words = (...given: readonly string[]): string[] =>
    candidatesFor(
      createProgram(async () => {}),
      given,
      known,
    ).map(({ value }) => value);

  it('knows commands, options and their values', () => {
    expect(words('l')).toEqual(['list', 'logs']);
    expect(words('queues', '')).toEqual(['list', 'add', 'remove', 'help']);
    expect(words('list', '')).toEqual(['pending', 'running', 'success', 'failure']);
    expect(words('list', 'failure', '')).toEqual([]);
    expect(words('list', '--fail')).toEqual(['--failure-type']);
    expect(words('list', '-s', '')).toEqual(['mailer']);
    expect(words('list', '--type', 'x', '--store', '')).toEqual(['farm', 'test']);
    expect(words('list', '--store=t')).toEqual(['--store=test']);
    expect(words('schedules', 'enable', 'nightly', '--due', 're')).toEqual(['reschedule']);
    expect(words('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(words('add', 'hello', '--config', '')).toEqual([]); // names of files
    expect(words('_')).toEqual([]);
  });

  it('is asked for by the scripts, with no store at hand', async () => {
    const cwd = home({ stores: STORES });
    const asked = await runAlone(['__complete', '--', 'show', '--store', 'f'], { cwd });
    expect(asked).toEqual({ code: 0, stdout: 'farm\tstore\nfile\tstore\n', stderr: '' });
    const broken = await runAlone(['__complete', '--', 'sho'], { cwd: home('{') });
    expect(broken).toMatchObject({ code: 0, stdout: expect.stringMatching(/^show\t/), stderr: '' });
    const scripts = await Promise.all(
      ['bash', 'zsh', 'fish'].map((shell) => runAlone(['completion', shell])),
    );
    for (const { code, stdout } of scripts) {
      expect(code).toBe(0);
      expect(stdout).toContain('oada-jobs __complete -- ');
    }
    expect(await runAlone(['completion', 'bsh'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean bash?'),
    });
  });
});
