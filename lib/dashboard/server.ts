import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';

import { ConfigError, toError } from '../errors.js';
import { mountDashboard } from './mount.js';
import { resolveDashboard, resolveStart } from './options.js';
import type { StartOptions } from './options.js';

/** A dashboard that listens. */
export interface RunningDashboard extends AsyncDisposable {
  /**
   * The address to open in a browser. Where there is no password, whoever opens it first, within 15 minutes, is signed
   * in, and nobody after that.
   */
  readonly url: string;
  /** Ends all connections, of browsers and to the stores. Can be called more than once. */
  stop(): Promise<void>;
}

/** Names of services and parts of addresses may be long. */
const LONGEST_PARAMETER = 4096;

/**
 * Starts a dashboard of its own, by default for people at this machine only.
 *
 * @throws {ConfigError} an option is wrong, or it cannot listen there
 */
export async function startDashboard(options: StartOptions): Promise<RunningDashboard> {
  const resolved = resolveDashboard(options);
  const { host, port, trustProxy } = resolveStart(options);
  const app = fastify({
    trustProxy:
      typeof trustProxy === 'number' ? (_address: string, hop: number) => hop < trustProxy : trustProxy,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
  });
  const access = await mountDashboard(app, resolved);
  const address = await listen(app, host, port);
  const link = resolved.password === undefined ? `sign-in/${access.newLink().token}` : '';
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    stopped ??= app.close();
    await stopped;
  };
  return { url: `${address}/${link}`, stop, [Symbol.asyncDispose]: stop };
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const message = `The dashboard cannot listen on ${host}:${String(port)}: ${toError(error).message}`;
    throw new ConfigError(message, { cause: error });
  }
}
