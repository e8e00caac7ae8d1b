export { FinishNotices } from './finish-notices.js';
export type { FinishNoticesOptions } from './finish-notices.js';
export type { EmailReporter, FinishReporter, ReportedPart, SlackReporter } from './finish-reporter.js';
export type { ResolvedFinishReporter } from './finish-reporter.js';
export { resolveFinishReporters } from './resolve.js';
