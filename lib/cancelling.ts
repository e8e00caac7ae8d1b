import { toError } from './errors.js';

/** A function's promise may have a `cancel()` method of its own, and that may throw. */
export function cancel(returned: unknown): void {
  if (typeof returned !== 'object' || returned === null || !('cancel' in returned)) return;
  try {
    if (typeof returned.cancel !== 'function') return;
    const cancelled: unknown = Reflect.apply(returned.cancel, returned, []);
    Promise.resolve(cancelled).catch(toError);
  } catch (error) {
    toError(error); // the work is over either way
  }
}
