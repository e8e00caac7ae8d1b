// An embedded server on disk:  server.ts FOLDER PORT TOKEN
import { OADAServer } from '@oada/jobs/server';

const [, , path = '', port = '0', token = ''] = process.argv;
const server = await OADAServer.start({ path, port: Number(port), tokens: [{ token }] });
process.on('disconnect', () => process.exit());
process.send?.(server.url);
