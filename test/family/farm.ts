import { JobError } from '@oada/jobs';
import type { Service, ServiceOptions, WorkFunction } from '@oada/jobs';
import type { OADAServer } from '@oada/jobs/server';
import type { OADAClient } from '@oada/client';
import { expect } from 'vitest';

import { makeService, read } from '../setup.js';
import type { Stored } from '../setup.js';

export const PARENT = { timeout: '20s', grace: 500 } as const;

/** A service that does the work of a parent, and that of all kinds of children. */
export function makeFarm(server: OADAServer, parent: WorkFunction, options: ServiceOptions = {}): Service {
  return makeService(server, 'in process', options)
    .on('parent', PARENT, parent)
    .on<{ n: number }>('double', '5s', ({ config }) => config.n * 2)
    .on('bad', '5s', () => {
      throw new JobError('no good', 'bad-luck');
    })
    .on('endless', { timeout: '20s', grace: 50 }, (_job, { signal }) => untilAborted(signal));
}

/** Rejects with the reason. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

/** The parent has failed, and so the child that would not have ended was cancelled. */
export async function expectBothEnded(oada: OADAClient, parent: { readonly _id: string }): Promise<void> {
  const job: Stored = await read(oada, `/${parent._id}`);
  expect(job.status).toBe('failure');
  const child: Stored = await read(oada, `/${job.children['endless-1']._id}`);
  expect(child).toMatchObject({ status: 'failure', failureType: 'cancelled' });
}
