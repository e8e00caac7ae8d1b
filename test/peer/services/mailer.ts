// A mail sender as those were written for @oada/jobs 3 to 5: the object constructor, with a client that is connected already.
import { strict as assert } from 'node:assert';

import { connect } from '@oada/client';
import { Service } from '@oada/jobs';
import { assert as assertEmailConfig } from '@oada/types/trellis/service/abalonemail/config/email.js';
import type EmailConfig from '@oada/types/trellis/service/abalonemail/config/email.js';
import debug from 'debug';

import { send } from './fake-mailer.js';

const info = debug('mailer:info');
const trace = debug('mailer:trace');

const name = 'mailer';
const { domain = '', token = '' } = process.env;
const connection = await connect({ domain, token });
const service = new Service({ name, oada: connection });

/** Who has got a mail; nobody gets a second one. */
const sent = new Set<unknown>();

service.on('email', 10 * 1000, async (job, { jobId, log }) => {
  info('triggered');
  void log.info('started', 'Job started');

  const { config: jobConfig } = job;
  assertEmailConfig(jobConfig);
  void log.trace('confirmed', 'Job config confirmed');

  const response = await email(jobConfig);
  info('Sent the mail of job %s', jobId);
  return response;
});

async function email(
  { multiple, from, to, subject, text, html, templateData, attachments: given = [] }: EmailConfig,
  log = { info, debug: trace },
) {
  if (sent.has(to)) {
    log.info('cancelled', 'Mail cancelled, since there was one');
    throw new Error(`There was a mail to ${JSON.stringify(to)} before`);
  }
  const attachments: { content: string; filename: string }[] = [];
  for (const { content, ...rest } of given) {
    assert(typeof content === 'string', 'Binary attachments are not supported');
    attachments.push({ content, ...rest });
  }
  const fill = (template?: string) =>
    template?.replace(/\{\{(\w+)\}\}/g, (_, key: string) => String(templateData?.[key]));

  log.debug('sending', 'Sending a mail');
  const mail = { from, to, subject, text: fill(text), html: fill(html), attachments };
  const [{ statusCode }] = await send({ ...mail, multiple: multiple ?? true });
  sent.add(to);
  return { statusCode };
}

await service.start();
console.log('ready');
