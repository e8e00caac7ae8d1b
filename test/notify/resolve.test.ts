import { ConfigError, Service } from '@oada/jobs';
import { describe, expect, test } from 'vitest';

import { resolveFinishReporters } from '../../lib/notify/index.js';

const posturl = 'https://hooks.slack.com/services/5ecret';
const slack = { type: 'slack', posturl };
const email = { type: 'email', smtp: 'smtp://me:5ecret@localhost', from: 'a@b.org', to: 'c@d.org' };

test('the shape of earlier versions is taken as it is', () => {
  const resolved = resolveFinishReporters([{ type: 'slack', status: 'failure', posturl }]);
  expect(resolved).toEqual([
    { type: 'slack', posturl, statuses: new Set(['failure']), jobTypes: undefined, include: new Set() },
  ]);
});

test('by default failures of all types are told of, and nothing of their content', () => {
  expect(resolveFinishReporters([slack, email])).toEqual([
    expect.objectContaining({ statuses: new Set(['failure']), jobTypes: undefined, include: new Set() }),
    expect.objectContaining({ statuses: new Set(['failure']), jobTypes: undefined, include: new Set() }),
  ]);
  expect(resolveFinishReporters(undefined)).toEqual([]);
});

test('mail options are those of nodemailer, and recipients one or many', () => {
  const options = { host: 'mail.example.org', port: 465, secure: true, auth: { user: 'me', pass: '5ecret' } };
  const resolved = resolveFinishReporters([
    { ...email, smtp: options, to: ['c@d.org', 'e@f.org'] },
    { ...email, smtp: { service: 'Gmail' } },
    { ...email, smtp: { url: 'smtps://localhost' } },
    email,
  ]);
  expect(resolved).toMatchObject([
    { smtp: options, to: ['c@d.org', 'e@f.org'] },
    { smtp: { service: 'Gmail' } },
    { smtp: { url: 'smtps://localhost' } },
    { smtp: { url: email.smtp }, to: ['c@d.org'] },
  ]);
});

describe('what is wrong is refused, by name and without showing secrets', () => {
  test.each<[unknown, RegExp]>([
    ['https://hooks.slack.com/5ecret', /`finishReporters` to be a list/],
    [slack, /`finishReporters` to be a list/],
    [null, /`finishReporters` to be a list/],
    [[posturl], /`finishReporters\[0\]` to be an object/],
    [[slack, null], /`finishReporters\[1\]` to be an object/],
    [[{}], /`finishReporters\[0\]\.type` to be 'slack' or 'email', got nothing/],
    [[{ ...slack, type: 'slak' }], /\.type`.*`slak` \(string\)/],
    [[{ ...slack, type: posturl }], /\.type`.*something else/],
    [[{ type: 'slack' }], /\.posturl` to be the https:\/\/ URL .*got nothing/],
    [[{ type: 'slack', posturl: '' }], /\.posturl`/],
    [[{ type: 'slack', posturl: 'hooks.slack.com/5ecret' }], /\.posturl`/],
    [[{ type: 'slack', posturl: 'ftp://hooks.slack.com/5ecret' }], /\.posturl`/],
    [[{ type: 'slack', posturl: 'https://me:5ecret@hooks.slack.com' }], /\.posturl`.*without user/],
    [[{ type: 'slack', posturl: new URL(posturl) }], /\.posturl`/],
    [[{ type: 'slack', postUrl: posturl }], /no option `postUrl`; did you mean `posturl`\?/],
    [[{ ...slack, jobtypes: [] }], /did you mean `jobTypes`/],
    [[{ ...slack, smtp: email.smtp }], /no option `smtp`/],
    [[{ ...email, posturl }], /no option `posturl`/],
    [[{ ...slack, status: 'failed' }], /\.status` to be 'failure', 'success' or 'both', got `failed`/],
    [[{ ...slack, status: null }], /\.status`/],
    [[{ ...slack, jobTypes: 'plough' }], /\.jobTypes`.*`plough`/],
    [[{ ...slack, jobTypes: [1] }], /\.jobTypes`/],
    [[{ ...slack, include: 'config' }], /\.include`.*`config`/],
    [[{ ...slack, include: ['config', 'secrets'] }], /\.include`.*`secrets`/],
    [[{ ...email, smtp: undefined }], /\.smtp`.*got nothing/],
    [[{ ...email, smtp: 'localhost:5ecret' }], /\.smtp`/],
    [[{ ...email, smtp: 'http://me:5ecret@localhost' }], /\.smtp`/],
    [[{ ...email, smtp: 'smtp://' }], /\.smtp`/],
    [[{ ...email, smtp: {} }], /\.smtp`/],
    [[{ ...email, smtp: { auth: { user: 'me', pass: '5ecret' } } }], /\.smtp`/],
    [[{ ...email, smtp: { host: 'localhost', sendmail: true } }], /\.smtp`/],
    [[{ ...email, smtp: { url: 'file://5ecret' } }], /\.smtp`/],
    [[{ ...email, from: undefined }], /\.from`/],
    [[{ ...email, from: '5ecret' }], /\.from`/],
    [[{ ...email, from: 'a@b.org\r\nBcc: 5ecret@d.org' }], /\.from`/],
    [[{ ...email, to: [] }], /\.to`/],
    [[{ ...email, to: ['c@d.org', 5] }], /\.to`/],
    [[{ ...email, to: 'c@d.org\nX: 5ecret' }], /\.to`/],
  ])('%j', (value, message) => {
    expect(() => resolveFinishReporters(value)).toThrow(ConfigError);
    expect(() => resolveFinishReporters(value)).toThrow(message);
    expect(() => resolveFinishReporters(value)).not.toThrow(/5ecret/);
  });
});

test('a service refuses wrong ones when it is made', () => {
  const oada = { domain: 'localhost:1', token: 'abc' };
  const make = (options: object): Service => new Service({ name: 'tractor', oada, ...options });
  expect(() => make({ finishReporters: [{ type: 'slack' }] })).toThrow(/`finishReporters\[0\]\.posturl`/);
  expect(() => make({ finishReporter: [slack] })).toThrow(/did you mean `finishReporters`\?/);
  expect(() => make({ finishReporters: [slack, email] })).not.toThrow();
  expect(() => make({ finishReporters: undefined })).not.toThrow();
});
