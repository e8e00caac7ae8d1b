import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Access } from './access.js';
import { EventStream } from './event-stream.js';
import { followedFrom, parameter } from './input.js';
import type { ResolvedDashboard } from './options.js';
import { Refusal } from './problem.js';
import type { Redactor } from './redactor.js';
import type { StoreHub } from './store-hub.js';

const MOST_FOLLOWED = 50;
const MOST_STREAMS = 200;

export interface LiveDeps {
  readonly access: Access;
  readonly hub: StoreHub;
  readonly redactor: Redactor;
  readonly options: ResolvedDashboard;
}

/** What is pushed while a page is open. */
export function addLiveRoute(app: FastifyInstance, { access, hub, redactor, options }: LiveDeps): void {
  const streams = new Set<EventStream>();
  const live = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { params, query } = request;
    const jobs = followedFrom(query, MOST_FOLLOWED);
    const view = await hub.service(parameter(params, 'store'), parameter(params, 'service'));
    const session = await access.sessionOf(request);
    if (session === undefined || streams.size >= MOST_STREAMS)
      throw new Refusal('OADA_JOBS_DASHBOARD_FULL', 'Too many pages are open: close some.');
    const stream = new EventStream({
      ...{ clock: options.clock, redactor },
      unsent: () => reply.raw.writableLength,
      isAdmitted: async () => (await access.sessionOf(request)) !== undefined,
    });
    streams.add(stream);
    const used = hub.look(view);
    const leave = used.live.view(stream, jobs);
    const end = (): void => {
      stream.end();
    };
    session.over.addEventListener('abort', end, { once: true });
    stream.body.once('close', () => {
      streams.delete(stream);
      session.over.removeEventListener('abort', end);
      leave();
      used.release();
    });
    return reply.type('text/event-stream; charset=utf-8').header('x-accel-buffering', 'no').send(stream.body);
  };
  app.get('/api/:store/:service/live', { exposeHeadRoute: false }, live);
  // Before the server waits for its connections to end.
  app.addHook('preClose', async () => {
    for (const stream of streams) stream.end();
  });
}
