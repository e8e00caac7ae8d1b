// Imports a package or a URL, and prints the URL of each file that is loaded for it, some of them twice.
import { createRequire, register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';
import { pathToFileURL } from 'node:url';

const hooks = `
  let port;
  export function initialize(data) { port = data.port; }
  export async function load(url, context, next) {
    port.postMessage(url);
    return await next(url, context);
  }
`;
const { port1, port2 } = new MessageChannel();
port1.on('message', (url) => {
  console.log(url);
});
port1.unref();
register(`data:text/javascript,${encodeURIComponent(hooks)}`, {
  data: { port: port2 },
  transferList: [port2],
});
await import(process.argv[2] ?? '');
for (const file of Object.keys(createRequire(import.meta.url).cache)) console.log(pathToFileURL(file).href);
// What was told of last is printed before the end.
await new Promise((resolve) => setImmediate(resolve));
