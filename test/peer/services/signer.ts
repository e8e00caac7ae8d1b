// A signer of documents as those were written for @oada/jobs 2: the positional constructor, and a service for each token.
import { createHmac } from 'node:crypto';

import { Service } from '@oada/jobs';
import type { WorkerFunction } from '@oada/jobs';
import debug from 'debug';

const error = debug('signer:error');
const info = debug('signer:info');
const warn = debug('signer:warn');

const { domain = '', tokens = '', key = 'key' } = process.env;
const signer = { name: 'The signer', url: 'https://signer.example' };

interface SignJobConfig {
  path: string;
}

function isSignJobConfig(config: unknown): config is SignJobConfig {
  return typeof config === 'object' && config !== null && 'path' in config;
}

function isSigned(document: unknown): boolean {
  return typeof document === 'object' && document !== null && 'signatures' in document;
}

const handle: WorkerFunction = async (job, { jobId, oada }) => {
  if (!isSignJobConfig(job.config)) {
    error('Job %s has no path', jobId);
    throw new Error(`The config of job ${jobId} has no path`);
  }
  const { path } = job.config;
  info('Job %s: signs %s', jobId, path);

  const document = await oada
    .get({ path })
    .then(({ data }) => data)
    .catch((cause: unknown) => {
      throw new Error(`Job ${jobId}: cannot get ${path}`, { cause });
    });
  if (isSigned(document)) {
    warn('%s is signed', path);
    return { success: true, skipped: true };
  }
  const signature = createHmac('sha256', key).update(JSON.stringify(document)).digest('hex');
  await oada.put({ path: `${path}/signatures`, data: { [signature]: signer } });
  return { success: true };
};

async function run(token: string) {
  const service = new Service('signer', domain, token, 10);
  service.on('sign', 10 * 1000, handle);
  await service.start();
}

await Promise.all(tokens.split(',').map(async (token) => run(token)));
console.log('ready');
