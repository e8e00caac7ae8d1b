export { TestService } from './test-service.js';
export type { RunOptions, TestServiceOptions } from './test-service.js';
export type { ChildLink, JobDetail, JobSummary, JobUpdate } from '../operator/job-summary.js';
