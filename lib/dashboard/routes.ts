import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import type { Clock } from '../clock.js';
import { countJobs } from '../operator/counts.js';
import { listInstances } from '../operator/instances.js';
import { listJobs } from '../operator/list-jobs.js';
import { setPaused } from '../operator/job-actions.js';
import { addQueue, readQueues, removeQueue } from '../operator/queues.js';
import { isServiceName } from '../paths.js';
import {
  jobsActionFrom,
  listRequestFrom,
  newQueueFrom,
  parameter,
  pausedFrom,
  scheduleActionFrom,
  schedulesActionFrom,
} from './input.js';
import { viewJob } from './job-view.js';
import { actOnJobs } from './jobs-action.js';
import { notFound, orNotFound } from './problem.js';
import { QueueHealths } from './queue-health.js';
import type { Redactor } from './redactor.js';
import { actOnSchedule, actOnSchedules, viewSchedule, viewSchedules } from './schedule-view.js';
import type { ServiceView, StoreHub } from './store-hub.js';

type Answer = (view: ServiceView, request: FastifyRequest) => Promise<unknown>;

/** All that is asked of stores and services, but for what is pushed. The paths are those of `api.ts`. */
export function addRoutes(
  app: FastifyInstance,
  { hub, redactor, clock }: { hub: StoreHub; redactor: Redactor; clock: Clock },
): void {
  const service = '/api/:store/:service';
  /** What is undefined has nothing to say. */
  const handle = (answer: Answer) => async (request: FastifyRequest, reply: FastifyReply) => {
    const { params } = request;
    const view = await hub.service(parameter(params, 'store'), parameter(params, 'service'));
    const answered = await answer(view, request);
    return answered === undefined ? reply.code(204).send() : reply.send(answered);
  };
  app.get('/api/stores', async () => await hub.summaries());
  app.get(
    service,
    handle(({ deps, lists }) => countJobs(deps, lists)),
  );
  addJobRoutes(app, service, handle);
  addQueueRoutes(app, service, { handle, healths: new QueueHealths(clock) });
  addScheduleRoutes(app, service, { handle, redactor });
  app.post(
    `${service}/paused`,
    handle(({ deps }, { body }) => setPaused(deps, pausedFrom(body))),
  );
  app.get(
    `${service}/instances`,
    handle(({ deps }) => listInstances(deps)),
  );
  app.all('/api/*', ({ method, url }) => {
    throw notFound(`${method} ${url.slice(0, 200)}`);
  });
}

type Handle = (answer: Answer) => (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** What stands at `*` may be of any length, and hold slashes. */
function addJobRoutes(app: FastifyInstance, service: string, handle: Handle): void {
  app.get(
    `${service}/jobs`,
    handle(({ deps, lists }, { query }) => listJobs(deps, listRequestFrom(query), lists)),
  );
  app.post(
    `${service}/jobs`,
    handle(({ deps, lists }, { body }) => actOnJobs(deps, jobsActionFrom(body), lists)),
  );
  app.get(
    `${service}/job/*`,
    handle(({ deps, lists }, { params }) => viewJob(deps, parameter(params, '*'), lists)),
  );
}

function addQueueRoutes(
  app: FastifyInstance,
  service: string,
  { handle, healths }: { handle: Handle; healths: QueueHealths },
): void {
  app.get(
    `${service}/queues`,
    handle(async ({ deps }) => await healths.viewsOf(await readQueues(deps))),
  );
  app.post(
    `${service}/queues`,
    handle(({ deps }, { body }) => {
      const { queue, ...address } = newQueueFrom(body);
      return addQueue(deps, queue, address);
    }),
  );
  app.delete(
    `${service}/queues/*`,
    handle(async ({ deps }, { params }) => {
      const queue = parameter(params, '*');
      if (!isServiceName(queue)) throw notFound(`queue ${JSON.stringify(queue)}`);
      await orNotFound(removeQueue(deps, queue));
    }),
  );
}

function addScheduleRoutes(
  app: FastifyInstance,
  service: string,
  { handle, redactor }: { handle: Handle; redactor: Redactor },
): void {
  app.get(
    `${service}/schedules`,
    handle(({ deps }) => viewSchedules(deps)),
  );
  app.post(
    `${service}/schedules`,
    handle(({ deps }, { body }) => actOnSchedules(deps, schedulesActionFrom(body))),
  );
  app.get(
    `${service}/schedules/*`,
    handle(({ deps }, { params }) => viewSchedule(deps, parameter(params, '*'), redactor)),
  );
  app.post(
    `${service}/schedules/*`,
    handle(({ deps }, { params, body }) =>
      actOnSchedule(deps, parameter(params, '*'), scheduleActionFrom(body)),
    ),
  );
}
