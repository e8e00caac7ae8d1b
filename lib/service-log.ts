import type { EventName, EventSource } from './events.js';
import type { LogLevel } from './logger.js';

/** A logger of the process, as pino makes them: `log.info({ jobId }, 'message')`. */
export type ServiceLog = Readonly<Record<LogLevel, (meta: object, message: string) => void>>;

/** What is told of an event; those that are not here are not told. */
const TOLD: Readonly<Partial<Record<EventName, readonly [level: LogLevel, message: string]>>> = {
  'service:started': ['info', 'Service started'],
  'service:stopped': ['info', 'Service stopped'],
  'queue:started': ['info', 'Queue started'],
  'queue:stopped': ['info', 'Queue stopped'],
  'queue:paused': ['info', 'Queue paused'],
  'queue:resumed': ['info', 'Queue resumed'],
  'queue:failed': ['warn', 'Queue lost its store, or cannot be started; it is tried again'],
  'queue:refused': ['error', 'An entry of the list of queues is none'],
  'instance:lost': ['warn', 'Another instance died; its jobs are taken over'],
  'job:started': ['debug', 'Job started'],
  'job:succeeded': ['info', 'Job succeeded'],
  'job:failed': ['error', 'Job failed'],
  'job:postponed': ['info', 'Job is run again later'],
  'job:interrupted': ['info', 'Job is given back, since the service stops'],
  'job:stuck': ['warn', 'The work function runs on after its end'],
  'job:skipped': ['warn', 'Nothing is done with a job'],
  'link:failed': ['warn', 'A resource could not be linked to its job'],
  'schedule:started': ['debug', 'Occurrence started'],
  'schedule:ended': ['info', 'Occurrence ended'],
  'schedule:skipped': ['info', 'Occurrences passed over'],
  'schedule:held': ['error', 'Schedule held: its functions throw again and again'],
  'schedule:delayed': ['warn', 'A schedule could not be attended to; it is tried again'],
  'report:sent': ['info', 'Report sent'],
  'report:delayed': ['warn', 'A period of a report could not be closed or sent; it is tried again'],
  'filter:failed': ['warn', 'The filter of a report threw'],
  'jobs:pruned': ['info', 'Old jobs deleted'],
  'prune:failed': ['warn', 'Old jobs could not be deleted; it is tried again'],
  'notice:failed': ['warn', 'Finished jobs could not be told of'],
  'log:failed': ['warn', 'Updates of a job could not be written'],
};

/** Tells a logger what happens in a service, and what its work functions log. */
export function logTo(log: ServiceLog, events: EventSource, service: string): void {
  for (const [name, told] of Object.entries(TOLD)) {
    if (isEventName(name)) events.on(name, tell(log, service, ...told));
  }
  events.on('job:logged', ({ level, status, meta, ...job }) => {
    log[level]({ service, ...job, ...(meta !== undefined && { meta }) }, status);
  });
}

function tell(log: ServiceLog, service: string, level: LogLevel, message: string): (event: object) => void {
  return (event) => {
    log[level]({ service, ...withErr(event) }, message);
  };
}

/** By the name under which loggers look for an error. */
function withErr(event: object): object {
  if (!('error' in event)) return event;
  const { error, ...rest } = event;
  return { ...rest, err: error };
}

function isEventName(name: string): name is EventName {
  return name in TOLD;
}
