// Jobs that are done together: what a hundred scales report goes into the database in two transactions, not in a
// hundred. Each job still has its own result. A job may be run twice, so its id keeps its row from being there twice.
import { postJob, Service } from '@oada/jobs';
import { OADAServer } from '@oada/jobs/server';
import sqlite from 'sql.js';

const { Database } = await sqlite();
const database = new Database(); // SQLite, in memory
database.run('CREATE TABLE weights (job TEXT PRIMARY KEY, field TEXT, tonnes INTEGER)');

await using server = await OADAServer.start();
const oada = server.client();
await using service = new Service('scales', oada);

const limits = { maxSize: 50, maxWait: '10s', timeout: '30s' } as const;
let transactions = 0;
service.onBatch<{ field: string; tonnes: number }>('weigh', limits, (jobs) => {
  database.run('BEGIN');
  try {
    const results = jobs.map(({ job, jobId }) => {
      const { field, tonnes } = job.config;
      if (tonnes <= 0) return new Error('Nothing weighs so little.'); // the failure of this job alone
      database.run('INSERT OR IGNORE INTO weights VALUES (?, ?, ?)', [jobId, field, tonnes]);
      return { tonnes };
    });
    database.run('COMMIT');
    transactions++;
    return results;
  } catch (error) {
    database.run('ROLLBACK');
    throw error; // the failure of all
  }
});
await service.start();

const ends = { success: 0, failure: 0 };
const allFiled = new Promise<void>((resolve) => {
  service.events.on('job:filed', ({ status }) => {
    ends[status]++;
    if (ends.success + ends.failure === 100) resolve();
  });
});
for (let tonnes = 0; tonnes < 100; tonnes++) {
  const config = { field: tonnes % 2 === 0 ? 'north' : 'south', tonnes };
  await postJob(oada, '/bookmarks/services/scales/jobs', { service: 'scales', type: 'weigh', config });
}
await allFiled;
console.log(ends, 'in', transactions, 'transactions');
const [sums] = database.exec(
  'SELECT field, count(*), sum(tonnes) FROM weights GROUP BY field ORDER BY field',
);
console.log(sums?.values);

// Output:
// { success: 99, failure: 1 } in 2 transactions
// [ [ 'north', 49, 2450 ], [ 'south', 50, 2500 ] ]
