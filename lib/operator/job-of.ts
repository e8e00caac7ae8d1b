import type { JsonObject } from '../json.js';

/**
 * The store's token reads much that is no job: the tokens of queues, say. So of what a link or an id leads to, only what
 * is a job of the service is shown or changed.
 */
export function isJobOf(service: string, document: JsonObject): boolean {
  const { _type } = document;
  if (typeof document['service'] === 'string') return document['service'] === service;
  return typeof _type === 'string' && /^application\/vnd\.oada\.service\.job\.\d+\+json/.test(_type);
}
