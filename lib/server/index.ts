export { OADAServer } from './server.js';
export type { OADAServerOptions } from './server.js';
export type { TokenOptions } from './users.js';
export { ServerError } from './errors.js';
export type { ServerErrorCode } from './errors.js';
