import { createServer } from 'node:http';

export interface DashboardOptions {
  readonly stores: readonly { readonly name: string; readonly domain: string; readonly token: string }[];
  readonly host?: string;
  readonly port?: number;
  readonly password?: string;
  readonly readOnly?: boolean;
}

export interface Dashboard {
  /** The address to be opened, with what lets its reader in. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Stands for the dashboard until it is there. */
export async function startDashboard({ host = '127.0.0.1', port = 0 }: DashboardOptions): Promise<Dashboard> {
  const server = createServer((_request, response) => response.end());
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const address = server.address();
  const at = typeof address === 'object' && address !== null ? address.port : port;
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  return { url: `http://${host}:${at}/`, stop };
}
