import { connect } from '@oada/client';
import { Service } from '@oada/jobs';

const { domain = '', token = '', connection } = process.env;
const oada = await connect({ domain, token, connection: connection === 'ws' ? 'ws' : 'http' });
const service = new Service({ name: 'x', oada });
await service.start();
await service.stop();
await oada.disconnect();
console.log('disconnected');
