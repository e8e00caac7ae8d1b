import { commandWork, ConfigError, Service, threadWork } from '@oada/jobs';
import type { CommandOptions, ThreadOptions } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

function service(): Service {
  return new Service('tractor', 'http://127.0.0.1:1', 'none');
}

describe.each([
  ['service.onCommand', (options: object) => service().onCommand('type', options as CommandOptions)],
  ['commandWork', (options: object) => commandWork(options as CommandOptions)],
])('%s refuses', (_name, make) => {
  test.each<[object | undefined, RegExp]>([
    [undefined, /expected `options` to be an object/],
    [{}, /expected `command` to be the name or the path of a program, got `undefined`/],
    [{ command: '' }, /`command`/],
    [{ command: 'a\0b' }, /`command`/],
    [{ command: ['ls'] }, /`command`/],
    [{ command: 'ls', shell: true }, /there is no option `shell`/],
    [{ command: 'ls', arg: [] }, /there is no option `arg`; did you mean `args`\?/],
    [{ command: 'ls', args: '-l' }, /expected `args` to be a list of texts/],
    [{ command: 'ls', args: [1] }, /expected `args\[0\]` to be text/],
    [{ command: 'ls', args: ['\0'] }, /expected `args\[0\]` to be text without null characters/],
    [{ command: 'ls', input: 'json' }, /expected `input` to be 'config' or 'none', got `json`/],
    [{ command: 'ls', output: 'xml' }, /expected `output` to be 'text' or 'json', got `xml`/],
    [{ command: 'ls', configInEnv: 'A=B' }, /expected `configInEnv` to be the name of a variable/],
    [{ command: 'ls', env: null }, /expected `env` to be an object/],
    [{ command: 'ls', env: { 'A=': 'b' } }, /expected `env` to be the name of a variable/],
    [{ command: 'ls', env: { A: 7 } }, /expected `env.A` to be text without null characters, got number/],
    [{ command: 'ls', inheritEnv: 'A' }, /expected `inheritEnv` to be a list/],
    [{ command: 'ls', inheritEnv: [''] }, /expected `inheritEnv` to be the name of a variable/],
    [{ command: 'ls', cwd: '' }, /expected `cwd` to be the path of a folder/],
    [{ command: 'ls', maxOutput: 0 }, /expected `maxOutput` to be a whole number from 1/],
    [{ command: 'ls', maxOutput: 1e9 }, /expected `maxOutput` to be at most 10485760 bytes/],
    [{ command: 'ls', successCodes: [] }, /expected `successCodes` to be a list of exit statuses/],
    [{ command: 'ls', successCodes: 0 }, /expected `successCodes`/],
    [{ command: 'ls', successCodes: [0, -1] }, /expected `successCodes`/],
    [{ command: 'ls', successCodes: [0, '1'] }, /expected `successCodes`/],
    [{ command: 'ls', killAfter: 'soon' }, /expected `killAfter` to be a time/],
  ])('%o', (options, message) => {
    expect(() => make(options!)).toThrow(ConfigError);
    expect(() => make(options!)).toThrow(message);
  });
});

test('service.onCommand refuses what no worker takes', () => {
  expect(() => service().onCommand('type', { command: 'ls', timeout: 0 })).toThrow(/`timeout`/);
  expect(() => service().onCommand('type', { command: 'ls', concurrency: 0 })).toThrow(/`concurrency`/);
  expect(() => service().onCommand('type', { command: 'ls', retries: { limit: -1 } })).toThrow(/retries/);
  expect(() => service().onCommand('', { command: 'ls' })).toThrow(/`type`/);
});

test('an error about an option does not show what may be a secret', () => {
  const env = { KEY: 'secret\0' };
  expect(() => commandWork({ command: 'ls', env })).toThrow(/env\.KEY/);
  expect(() => commandWork({ command: 'ls', env })).not.toThrow(/secret/);
});

describe.each([
  ['service.onThread', (options: object) => service().onThread('type', options as ThreadOptions)],
  ['threadWork', (options: object) => threadWork(options as ThreadOptions)],
])('%s refuses', (_name, make) => {
  test.each<[object | undefined, RegExp]>([
    [undefined, /expected `options` to be an object/],
    [{}, /expected `script` to be a file: URL or an absolute path, got `undefined`/],
    [{ script: './press.js' }, /`script`.* got `\.\/press\.js`/],
    [{ script: 'https://example.org/press.js' }, /`script`/],
    [{ script: new URL('https://example.org/press.js') }, /`script`.* got `https:/],
    [{ script: '/press.js', scripts: 1 }, /there is no option `scripts`; did you mean `script`\?/],
    [{ script: '/press.js', resourceLimits: 5 }, /expected `resourceLimits` to be an object/],
    [{ script: '/press.js', resourceLimits: { maxOldGenerationSizeMb: 0 } }, /MiB, got `0`/],
    [
      { script: '/press.js', resourceLimits: { maxOldGenerationSize: 1 } },
      /did you mean `maxOldGenerationSizeMb`/,
    ],
  ])('%o', (options, message) => {
    expect(() => make(options!)).toThrow(ConfigError);
    expect(() => make(options!)).toThrow(message);
  });
});
