import type { BatchJob } from '@oada/jobs';
import type { OADAClient } from '@oada/client';

import { BASE, ensureLists, jobOf, postResource } from '../setup.js';

export const LIMITS = { maxSize: 3, maxWait: '20s', timeout: '20s' } as const;

export interface Named {
  readonly name: string;
}

/** Posts jobs that are linked all at once. */
export async function postJobs(oada: OADAClient, jobs: Readonly<Record<string, object>>): Promise<void> {
  await ensureLists(oada);
  const links: Record<string, { _id: string }> = {};
  for (const [key, job] of Object.entries(jobs)) links[key] = { _id: await postResource(oada, job) };
  await oada.put({ path: `${BASE}/jobs`, data: links, contentType: 'application/json' });
}

export function jobsOf(type: string, names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, jobOf(type, { name })]));
}

export const many = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `j${String(index).padStart(3, '0')}`);

export const namesOf = (jobs: readonly BatchJob<Named>[]): string[] =>
  jobs.map(({ job }) => job.config.name).toSorted();
