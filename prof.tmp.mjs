import { mkdtempSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { Service } from './dist/index.js';
import { OADAServer } from './dist/server/index.js';
const mem = process.argv[2] === 'mem';
const total = Number(process.argv[3] ?? 5000);
const rounds = Number(process.argv[4] ?? 3);
const path = mkdtempSync('/tmp/x/bench-');
const server = await OADAServer.start({ ...(mem ? {} : { path }), tokens: [{ token: 'bench' }] });
const oada = server.client();
const NAME = 'bench';
async function raw(n) {
  // the same requests with no SDK
  const keys = Array.from({length: total}, (_, i) => `raw${n}-${i}`);
  const links = {};
  for (const key of keys) { links[key] = { _id: `resources/${key}` }; await oada.put({ path: `/resources/${key}`, data: { service: NAME, type: 'nothing', config: { n: 1 } }, contentType: 'application/vnd.oada.service.job.1+json' }); }
  await oada.put({ path: `/bookmarks/services/${NAME}/rawjobs`, data: links, contentType: 'application/json' });
  let next = 0, dayLinks = {}, pend = 0;
  const t = performance.now();
  const worker = async () => { while (next < total) {
    const i = next++; const key = keys[i];
    const g = await oada.get({ path: `/resources/${key}` });
    await oada.put({ path: `/resources/${key}`, data: { status: 'running', claim: { instance: 'abc', attempt: 1 }, attempts: 1, updates: { ['u' + i]: { status: 'started', time: new Date().toISOString() } } }, contentType: 'application/json', etagIfMatch: g.headers.etag });
    await oada.put({ path: `/resources/${key}`, data: { status: 'success', result: { done: true }, updates: { ['v' + i]: { status: 'success', time: new Date().toISOString() } } }, contentType: 'application/json' });
    dayLinks[key] = { _id: `resources/${key}` };
    if (++pend === 5) { pend = 0; const d = dayLinks; dayLinks = {}; await oada.put({ path: `/bookmarks/services/${NAME}/rawdone`, data: d, contentType: 'application/json' }); }
    await oada.delete({ path: `/bookmarks/services/${NAME}/rawjobs/${key}` });
  } };
  await Promise.all(Array.from({ length: 10 }, worker));
  return total / (performance.now() - t) * 1000;
}
async function round(profile, n) {
  { await using setup = new Service({ name: NAME, oada }); await setup.start(); }
  const rawRate = await raw(n);
  const links = {};
  for (let i = 0; i < total; i++) {
    const key = `job${n}-${i}`;
    links[key] = { _id: `resources/${key}` };
    await oada.put({ path: `/resources/${key}`, data: { service: NAME, type: 'nothing', config: { n: i } }, contentType: 'application/vnd.oada.service.job.1+json' });
  }
  await oada.put({ path: `/bookmarks/services/${NAME}/jobs`, data: links, contentType: 'application/json' });
  await using service = new Service({ name: NAME, oada, concurrency: 10 });
  service.on('nothing', '10s', () => ({ done: true }));
  let filed = 0;
  const done = new Promise((r) => service.events.on('job:filed', () => { if (++filed === total) r(); }));
  const s = new Session(); s.connect();
  if (profile) { await s.post('Profiler.enable'); await s.post('Profiler.setSamplingInterval', { interval: 200 }); await s.post('Profiler.start'); }
  const cpu = process.cpuUsage(); const t = performance.now();
  await service.start(); await done;
  const wall = performance.now() - t; const c = process.cpuUsage(cpu);
  if (profile) writeFileSync('/tmp/x/p.cpuprofile', JSON.stringify((await s.post('Profiler.stop')).profile));
  console.log(Math.round(total / wall * 1000), 'jobs/s; ratio to raw', (total / wall * 1000 / rawRate).toFixed(2), 'raw', Math.round(rawRate), 'cpu us/job', Math.round((c.user + c.system) / total), 'user', Math.round(c.user / total));
}
for (let n = 0; n < rounds; n++) await round(n === rounds - 1, n);
await server.stop();
