export { Service } from './service.js';
export type { ServiceSettings } from './service.js';
export type { OptionalLevel, ServiceOptions } from './options.js';
export { Queue } from './queue.js';
export { Runner } from './runner.js';
export { Job } from './job.js';
export { retryIn } from './retries.js';
export type { RetryOptions, RetryRequest } from './retries.js';
export { postJob } from './producer.js';
export type { NewJob } from './producer.js';
export { Logger } from './logger.js';
export type { WorkerContext, WorkerOptions, WorkFunction } from './worker.js';
export type { Duration } from './duration.js';
export type { StoreAddress } from './oada/address.js';
export type { EventName, EventSource, JobEvent, Listener, ServiceEvents, TypedJobEvent } from './events.js';
export type { Json, JsonArray, JsonObject } from './json.js';
export {
  ConfigError,
  InvalidJobError,
  InvalidResultError,
  JobCancelledError,
  JobError,
  JobLostError,
  JobsError,
  JobTimeoutError,
  LifecycleError,
  ServiceStoppingError,
  StoreError,
  UnknownJobTypeError,
} from './errors.js';
export type { ErrorCode, JobErrorOptions } from './errors.js';
