import { access } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

const YEAR_S = 365 * 86_400;

/** Serves the page, which holds nothing that is secret. */
export async function addPage(app: FastifyInstance, pageFolder: string | undefined): Promise<void> {
  // From the file that this is built into, too.
  const root = pageFolder ?? fileURLToPath(new URL('../dashboard/page/', import.meta.url));
  // Its addresses are relative: without the slash they would lead to what is beside the dashboard.
  if (app.prefix !== '') {
    app.get('/', { prefixTrailingSlash: 'no-slash' }, (_request, reply) => reply.redirect(`${app.prefix}/`));
  }
  // The sources of the page have an index.html as well: what is built has the scripts that it names.
  if (!(await isThere(join(root, 'assets')))) {
    app.get('/*', (_request, reply) =>
      reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send('The page of the dashboard is not built: run `yarn build`, or `npm run build`.\n'),
    );
    return;
  }
  await app.register(fastifyStatic, {
    root,
    decorateReply: false,
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: (reply, path) => {
      // The names of what the build makes have hashes of the contents in them.
      const isHashed = path.startsWith(join(root, 'assets', sep));
      const control = isHashed ? `public, max-age=${String(YEAR_S)}, immutable` : 'no-cache';
      void reply.header('cache-control', control);
    },
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false; // whatever the reason, it cannot be served
  }
}
