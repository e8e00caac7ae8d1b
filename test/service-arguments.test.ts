import { ConfigError, Service } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import { serviceDefaults } from '../lib/options.js';
import { ensureLists, jobOf, runJob, startServer, TOKEN } from './setup.js';

const oada = { domain: 'localhost:1', token: 'abc' };

function make(...values: unknown[]): Service {
  return Reflect.construct(Service, values) as Service;
}

describe('each form of the constructor', () => {
  test.each<[string, (url: string, client: object) => unknown[]]>([
    ['name, domain, token', (url) => ['tractor', url, TOKEN]],
    ['name, domain, token, concurrency', (url) => ['tractor', url, TOKEN, 5]],
    [
      'name, domain, token, concurrency, options',
      (url) => ['tractor', url, TOKEN, 5, { checkInterval: '1m' }],
    ],
    ['name, domain, token, nothing, options', (url) => ['tractor', url, TOKEN, undefined, { stacks: true }]],
    ['name, client', (_url, client) => ['tractor', client]],
    ['name, client, concurrency', (_url, client) => ['tractor', client, 5]],
    ['name, client, concurrency, options', (_url, client) => ['tractor', client, 5, { drainTimeout: 10 }]],
    [
      'an object with an address',
      (url) => [{ name: 'tractor', oada: { domain: url, token: TOKEN }, concurrency: 3 }],
    ],
    [
      'an object with a client',
      (_url, client) => [{ name: 'tractor', oada: client, concurrency: undefined }],
    ],
  ])('makes a service that runs jobs: %s', async (_form, values) => {
    const server = await startServer();
    await ensureLists(server.client());
    await using service = make(...values(server.url, server.client(TOKEN))).on('plough', '5s', () => 'done');
    expect(service.name).toBe('tractor');
    await service.start();
    expect(await runJob(service, server.client(), jobOf('plough'))).toMatchObject({ status: 'success' });
  });

  test('leaves a given client connected', async () => {
    const server = await startServer();
    const client = server.client(TOKEN);
    const service = new Service('tractor', client);
    await service.start();
    await service.stop();
    expect((await client.get({ path: '/bookmarks' })).status).toBe(200);
  });
});

describe('a wrong argument is refused by name', () => {
  test.each<[unknown[], RegExp]>([
    [[], /`name`.*undefined/],
    [[null], /`name`.*null/],
    [[7], /`name`.*7/],
    [[[]], /`name`/],
    [[{}], /`name`/],
    [['', oada], /`name`/],
    [['a b', oada], /`name`.*"a b"/],
    [['a/b', oada], /`name`/],
    [['..', oada], /`name`/],
    [['12', oada], /`name`/],
    [['tractor'], /`domain`/],
    [['tractor', ''], /`domain`/],
    [['tractor', 'localhost'], /`token`/],
    [['tractor', 'localhost', ''], /`token`/],
    [['tractor', 'localhost', 'a b'], /`token`/],
    [['tractor', 'ftp://localhost', 'abc'], /`domain`.*ftp/],
    [['tractor', 'http://[', 'abc'], /`domain`/],
    [['tractor', 'http://me:hidden@localhost', 'abc'], /`domain`.*no user/],
    [['tractor', 'localhost', 'abc', '10'], /`concurrency`.*10/],
    [['tractor', 'localhost', 'abc', {}], /`concurrency`/],
    [['tractor', 'localhost', 'abc', 0], /`concurrency`.*`0` \(number\)/],
    [['tractor', 'localhost', 'abc', -1], /`concurrency`/],
    [['tractor', 'localhost', 'abc', 1.5], /`concurrency`/],
    [['tractor', 'localhost', 'abc', Number.NaN], /`concurrency`/],
    [['tractor', 'localhost', 'abc', Infinity], /`concurrency`/],
    [['tractor', 'localhost', 'abc', 1, 5], /`options`.*5/],
    [[{ name: 'tractor' }], /`oada`/],
    [[{ name: 'tractor', oada: 'localhost' }], /`oada`/],
    [[{ name: 'tractor', oada: {} }], /`domain`/],
    [[{ name: 'tractor', oada, concurency: 3 }], /no option `concurency`; did you mean `concurrency`\?/],
    [[{ name: 'tractor', oada, checkinterval: 3 }], /did you mean `checkInterval`/],
    [[{ name: 'tractor', oada, checkInterval: 0 }], /`checkInterval`/],
    [[{ name: 'tractor', oada, checkInterval: -5 }], /`checkInterval`/],
    [[{ name: 'tractor', oada, drainTimeout: '5 minutes' }], /`drainTimeout`.*5 minutes/],
    [[{ name: 'tractor', oada, requestTimeout: '25d' }], /`requestTimeout`.*25d/],
    [[{ name: 'tractor', oada, contentTimeout: null }], /`contentTimeout`/],
    [[{ name: 'tractor', oada, maxResultSize: '1MB' }], /`maxResultSize`.*1MB/],
    [[{ name: 'tractor', oada, stacks: 'yes' }], /`stacks`.*yes/],
    [[{ name: 'tractor', oada, logging: 'debug' }], /`logging`.*debug/],
    [[{ name: 'tractor', oada, logging: ['info'] }], /`logging`.*info/],
  ])('new Service(...%j)', (values, message) => {
    expect(() => make(...values)).toThrow(ConfigError);
    expect(() => make(...values)).toThrow(message);
    expect(() => make(...values)).not.toThrow(/hidden/);
  });

  test.each<[unknown[], RegExp]>([
    [[undefined, 5, () => 1], /`type`/],
    [['', 5, () => 1], /`type`/],
    [['a', 0, () => 1], /`timeout`/],
    [['a', -1, () => 1], /`timeout`/],
    [['a', 'soon', () => 1], /`timeout`.*soon/],
    [['a', undefined, () => 1], /`timeout`/],
    [['a', {}, () => 1], /`timeout`/],
    [['a', 2 ** 31, () => 1], /`timeout`/],
    [['a', 5], /`work`/],
    [['a', 5, 'work'], /`work`/],
    [['a', { timeout: 5, timeOut: 5 }, () => 1], /no option `timeOut`; did you mean `timeout`/],
    [['a', { timeout: 5, config: { type: 'nonsense' } }, () => 1], /schema of "a"/],
  ])('service.on(...%j)', (values, message) => {
    const service = new Service({ name: 'tractor', oada });
    const on = (): unknown => Reflect.apply(service.on.bind(service), undefined, values);
    expect(on).toThrow(ConfigError);
    expect(on).toThrow(message);
  });
});

test('the defaults cannot be changed', () => {
  expect(Object.isFrozen(serviceDefaults)).toBe(true);
});
