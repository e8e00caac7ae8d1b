export { Service } from './service.js';
export type { ClientConfig, ServiceSettings } from './settings.js';
export type { OptionalLevel, ServiceOptions } from './options.js';
export { Queue } from './queue.js';
export { Runner } from './runner.js';
export { Job } from './job.js';
export type { ClaimRecord, StartedBySchedule } from './job.js';
export type { TraceRecord } from './tracing.js';
export { retryIn } from './retries.js';
export type { ResolvedRetries, RetryOptions, RetryRequest } from './retries.js';
export { postJob, postUpdate, submit } from './producer.js';
export type { NewJob, SubmittedJob } from './producer.js';
export type { JobRequest } from './job-request.js';
export type { FinalStatus, LayoutName } from './paths.js';
export { waitForJob } from './wait.js';
export type { FinishedJob, WaitOptions } from './wait.js';
export { commandWork } from './command/command-work.js';
export type { CommandResult } from './command/command-work.js';
export type { CommandOptions, CommandSettings } from './command/options.js';
export { threadWork } from './command/thread-work.js';
export type {
  ThreadContext,
  ThreadFunction,
  ThreadJob,
  ThreadOptions,
  ThreadSettings,
} from './command/thread-work.js';
export type { BatchFunction, BatchJob } from './batch/batch-function.js';
export type { BatchOptions } from './batch/batch-worker.js';
export { Logger } from './logger.js';
export type { Worker, WorkerContext, WorkerOptions, WorkFunction } from './worker.js';
export type { JobId, JobUpdate, JsonCompatible, WorkerFunction } from './earlier-names.js';
export type { Duration } from './duration.js';
export type { EmailReporter, FinishReporter, ReportedPart, SlackReporter } from './notify/index.js';
export type { ServiceLog } from './service-log.js';
export type { LogLevel } from './logger.js';
export type { LayoutOption } from './options.js';
export type { ChildState } from './child-states.js';
export type { Child, SpawnOptions } from './children.js';
export type { ProgressRecord } from './progress.js';
export type { Jobs } from './jobs.js';
export type { OwnedJob } from './jobs.js';
export { getStatus } from './status.js';
export type {
  JobProblem,
  JobState,
  JobStatus,
  StatusView,
  StatusViews,
  ViewedChild,
  ViewedJob,
} from './status.js';
export type { Schedules } from './schedule/operations.js';
export type { HistoryRecord, ScheduleState, TimingOverride } from './schedule/operations.js';
export type { EachOptions, ItemConfigMaker, ItemContext } from './schedule/item-options.js';
export type { Chain, ConfigMaker, Notify, OccurrenceContext, ScheduleOptions } from './schedule/options.js';
export type { Cause, CurrentRun, OccurrenceOutcome } from './schedule/row.js';
export type { PassReason } from './schedule/step.js';
export type { CatchUp, Overlap, ScheduleTiming } from './schedule/definition.js';
export type { MaintenanceWindow, Weekday } from './schedule/windows.js';
export type { Report } from './report/report.js';
export type { MetricsRegistry } from './metrics/registry.js';
export type { RetentionOptions } from './retention/policy.js';
export { reportOnItem } from './report/recording.js';
export { parseAttachment } from './report/csv.js';
export type {
  EmailAddress,
  ReportAttachment,
  ReportConfig,
  ReportEmail,
  ReportOptions,
} from './report/options.js';
export type { SentPeriod } from './report/closing.js';
export type { StoreAddress } from './oada/address.js';
export type { StoreMethod } from './oada/store.js';
export type { EventName, EventSource, JobEvent, Listener, ServiceEvents, TypedJobEvent } from './events.js';
export type { Json, JsonArray, JsonObject } from './json.js';
export {
  ConfigError,
  IdempotencyError,
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
  WaitTimeoutError,
} from './errors.js';
export type { ErrorCode, JobErrorOptions, StoreErrorCode, StoreErrorDetails } from './errors.js';
