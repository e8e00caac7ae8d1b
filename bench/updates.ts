import { Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';

import { fill, makeLists, NAME } from './jobs.js';
import { TOKEN } from './store.js';

export interface Updates {
  /** Requests that changed the job's document. */
  readonly writes: number;
  readonly inOrder: boolean;
}

/** One job that logs so many lines, none of them waited for. */
export async function updates(path: string, lines: number): Promise<Updates> {
  await using server = await OADAServer.start({ path, tokens: [{ token: TOKEN }] });
  const oada = server.client();
  await makeLists(oada);
  await using service = new Service({ name: NAME, oada });
  service.on('nothing', '60s', (_job, { log }) => {
    for (let line = 0; line < lines; line++) void log.info(`line ${String(line)}`);
  });
  const filed = service.events.next('job:filed');
  await service.start();
  await fill(oada, 1, 'talker');
  const { jobId } = await filed;
  const { data, headers } = await oada.get({ path: `/${jobId}` });
  const stored = (data as { updates: Record<string, { status: string }> }).updates;
  const statuses = Object.keys(stored)
    .toSorted()
    .map((key) => stored[key]?.status ?? '');
  const logged = statuses.filter((status) => status.startsWith('line '));
  return {
    writes: Number(headers['x-oada-rev']) - 1, // the first is the producer's
    inOrder: logged.length === lines && logged.every((status, line) => status === `line ${String(line)}`),
  };
}
