import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { batchDefaults, createBatchWorker } from '../../lib/batch/batch-worker.js';
import { commandDefaults, resolveCommand } from '../../lib/command/options.js';
import { threadWork } from '../../lib/command/thread-work.js';
import { systemClock } from '../../lib/clock.js';
import { dashboardDefaults, resolveDashboard, startDefaults } from '../../lib/dashboard/options.js';
import { JobError } from '../../lib/errors.js';
import { Job } from '../../lib/job.js';
import { requestDefaults, resolveRequest } from '../../lib/job-request.js';
import { finishReporterDefaults, resolveFinishReporters } from '../../lib/notify/resolve.js';
import { resolveServiceOptions, serviceDefaults } from '../../lib/options.js';
import { reportDefaults, resolveReport } from '../../lib/report/options.js';
import { resolveRetention } from '../../lib/retention/options.js';
import { resolveRetries, retryDefaults } from '../../lib/retries.js';
import { timingDefaults } from '../../lib/schedule/definition.js';
import { eachDefaults, resolveEach } from '../../lib/schedule/item-options.js';
import { chainDefaults, resolveSchedule, scheduleDefaults } from '../../lib/schedule/options.js';
import { resolveWindows } from '../../lib/schedule/windows.js';
import { OADAServer, serverDefaults } from '../../lib/server/server.js';
import { runDefaults, testDefaults } from '../../lib/testing/test-service.js';
import { resolveWaitOptions, waitDefaults } from '../../lib/wait.js';
import { createWorker, workerDefaults } from '../../lib/worker.js';
import { Declarations } from './declarations.js';
import { textOf } from './documents.js';
import { root } from './program.js';

interface Section {
  readonly heading: string;
  /** The types of what is documented there: which file declares them, and their names. */
  readonly types: readonly (readonly [file: string, name: string])[];
  /** As the code has them. */
  readonly defaults: object;
  /** Of the types, but told of in another section. */
  readonly elsewhere?: readonly string[];
  /** Those that are looked at before what refuses names. */
  readonly before?: readonly string[];
  /** Refuses a name that it does not know; undefined where nothing does. */
  readonly refuse?: (options: never) => unknown;
}

const text = textOf('docs/reference/options.md');
const OF_WORKER = ['config', 'retries'];
const schedule = timingNamesAnd('type', 'config', 'shouldRun', 'then', 'notify');
const noSlots = { clock: systemClock, slots: { wake: () => undefined } };

const sections: readonly Section[] = [
  {
    heading: '## Service',
    types: [['lib/settings.ts', 'ServiceSettings']],
    defaults: serviceDefaults,
    before: ['name', 'oada', 'opts', 'log'],
    refuse: (options) => resolveServiceOptions(options, {}),
  },
  {
    heading: '## Worker',
    types: [['lib/worker.ts', 'WorkerOptions']],
    defaults: workerDefaults,
    refuse: (options) => createWorker('a', options, () => undefined),
  },
  {
    heading: '### Retries',
    types: [['lib/retries.ts', 'RetryOptions']],
    defaults: retryDefaults,
    refuse: resolveRetries,
  },
  {
    heading: '## Batch',
    types: [['lib/batch/batch-worker.ts', 'BatchOptions']],
    defaults: batchDefaults,
    elsewhere: OF_WORKER,
    refuse: (options: object) =>
      createBatchWorker('a', { timeout: 1, ...options } as never, () => [], noSlots),
  },
  {
    heading: '## Command',
    types: [['lib/command/options.ts', 'CommandOptions']],
    defaults: commandDefaults,
    elsewhere: [...OF_WORKER, 'concurrency'],
    before: [...OF_WORKER, 'concurrency', 'timeout'],
    refuse: resolveCommand,
  },
  {
    heading: '## Thread',
    types: [['lib/command/thread-work.ts', 'ThreadOptions']],
    defaults: { timeout: commandDefaults.timeout },
    elsewhere: [...OF_WORKER, 'concurrency'],
    before: [...OF_WORKER, 'concurrency', 'timeout'],
    refuse: threadWork,
  },
  {
    heading: '## Schedule',
    types: [['lib/schedule/options.ts', 'ScheduleOptions']],
    defaults: { ...timingDefaults, ...scheduleDefaults },
    refuse: (options) => resolveSchedule('a', options),
  },
  { heading: '### What follows', types: [['lib/schedule/options.ts', 'Chain']], defaults: chainDefaults },
  {
    heading: '### Maintenance windows',
    types: [['lib/schedule/windows.ts', 'MaintenanceWindow']],
    defaults: {},
    refuse: (options) => resolveWindows([options], 'UTC'),
  },
  {
    heading: "## Schedules of a list's items",
    types: [['lib/schedule/item-options.ts', 'EachOptions']],
    defaults: eachDefaults,
    elsewhere: schedule,
    refuse: (options) => resolveEach('a', options),
  },
  {
    heading: '## Retention',
    types: [['lib/retention/policy.ts', 'RetentionOptions']],
    defaults: retentionDefaults(),
    refuse: resolveRetention,
  },
  {
    heading: '## Finish reporters',
    types: [
      ['lib/notify/finish-reporter.ts', 'SlackReporter'],
      ['lib/notify/finish-reporter.ts', 'EmailReporter'],
    ],
    defaults: finishReporterDefaults,
  },
  {
    heading: '## Report',
    types: [['lib/report/options.ts', 'ReportOptions']],
    defaults: reportDefaults,
    refuse: (options) => resolveReport(options, new Date()),
  },
  { heading: '### Rows of a report', types: [['lib/report/options.ts', 'ReportConfig']], defaults: {} },
  {
    heading: '## Submitting a job',
    types: [['lib/job-request.ts', 'JobRequest']],
    defaults: { ...requestDefaults, priority: aJob().priority },
    refuse: resolveRequest,
  },
  {
    heading: '## Waiting for a job',
    types: [['lib/wait.ts', 'WaitOptions']],
    defaults: waitDefaults,
    refuse: resolveWaitOptions,
  },
  { heading: '## Child job', types: [['lib/children.ts', 'SpawnOptions']], defaults: {} },
  {
    heading: '## A failure of a type of its own',
    types: [['lib/errors.ts', 'JobErrorOptions']],
    defaults: { retry: new JobError('').retry },
  },
  {
    heading: '## Embedded server',
    types: [['lib/server/server.ts', 'OADAServerOptions']],
    defaults: serverDefaults,
    refuse: (options) => OADAServer.start(options),
  },
  { heading: '### Tokens', types: [['lib/server/users.ts', 'TokenOptions']], defaults: {} },
  {
    heading: '## Test service',
    types: [['lib/testing/test-service.ts', 'TestServiceOptions']],
    defaults: testDefaults,
    elsewhere: rowsOf('## Service')
      .map(({ name }) => name)
      .filter((name) => !(name in testDefaults)),
  },
  {
    heading: '### A job of a test',
    types: [['lib/testing/test-service.ts', 'RunOptions']],
    defaults: runDefaults,
    elsewhere: rowsOf('## Submitting a job').map(({ name }) => name),
  },
  {
    heading: '## Dashboard',
    types: [
      ['lib/dashboard/options.ts', 'DashboardOptions'],
      ['lib/dashboard/options.ts', 'StartOptions'],
    ],
    defaults: { ...dashboardDefaults, ...startDefaults },
    refuse: resolveDashboard,
  },
  { heading: '### Stores', types: [['lib/dashboard/options.ts', 'DashboardStore']], defaults: {} },
];

function timingNamesAnd(...names: string[]): string[] {
  const timing = ['cron', 'every', 'at', 'manual', 'timeZone', 'phase', 'jitter', 'catchUp', 'catchUpLimit'];
  return [...timing, 'overlap', 'windows', ...names];
}

function aJob(): Job {
  return new Job({ _id: 'resources/a', service: 'a', type: 'a', config: {} });
}

/** What holds for the one status where only the other is limited. */
function retentionDefaults(): object {
  const failure = resolveRetention({ success: '1d' })?.failure;
  const success = resolveRetention({ failure: '1d' })?.success;
  return { success: success?.age, failure: failure?.age, keep: success?.keep };
}

interface Row {
  readonly name: string;
  /** In code, `required`, or other words. */
  readonly fallback: string;
}

function rowsOf(heading: string): Row[] {
  const [, rest = ''] = text.split(`\n${heading}\n`);
  const [section = ''] = rest.split(/^#{1,3} /m);
  return [...section.matchAll(/^\| `(\w+)` +\| (.+?) +\| \S.*\|$/gm)].map(([, name = '', fallback = '']) => ({
    name,
    fallback,
  }));
}

/** What a text says as code: `'30s'`, or what begins with that. */
function literalOf(code: string | undefined): unknown {
  const [, literal] =
    /^`?('[^']*'|[\d.]+|true|false|Infinity|\[[^\]]*\]|\{\})`?(?:$|:)/.exec(code ?? '') ?? [];
  if (literal === undefined) return undefined;
  return literal === 'Infinity' ? Infinity : JSON.parse(literal.replaceAll("'", '"'));
}

const declarations = new Declarations([
  ...new Set(sections.flatMap(({ types }) => types.map(([file]) => file))),
]);

describe.each(sections)(
  'the options below "$heading"',
  ({ heading, types, defaults, elsewhere = [], before = [], refuse }) => {
    const rows = rowsOf(heading);
    const declared = types
      .flatMap(([file, name]) => declarations.propertiesOf(file, name))
      .filter(({ name }) => !elsewhere.includes(name));
    const known: Readonly<Record<string, unknown>> = { ...defaults };

    it('are those that are declared, and no others', () => {
      const names = new Set(declared.map(({ name }) => name));
      expect(rows.map(({ name }) => name).toSorted()).toEqual([...names].toSorted());
    });

    it('are required where they cannot be left out', () => {
      for (const { name, isOptional } of declared)
        expect({ name, isOptional }).toEqual({
          name,
          isOptional: rows.find((row) => row.name === name)?.fallback !== 'required',
        });
    });

    it('have the defaults that the code has, in the table and in its comments', () => {
      const told = rows.flatMap(({ name, fallback }) => {
        const literal = fallback.startsWith('`') ? literalOf(fallback) : undefined;
        return literal === undefined ? [] : [[name, literal]];
      });
      expect(Object.fromEntries(told)).toEqual(known);
      const commented = declared.flatMap(({ name, defaultValue }) => {
        const literal = literalOf(defaultValue);
        return literal === undefined ? [] : [[name, literal]];
      });
      expect(Object.fromEntries(commented)).toEqual(known);
    });

    if (refuse === undefined) return; // nothing refuses names there
    it('are all that the code takes', async () => {
      // A name so long that it is like none, so that the error names all that are known.
      const options = { ['x'.repeat(60)]: 1 };
      const error = await (async () => refuse(options as never))().then(
        () => undefined,
        (thrown: unknown) => String(thrown),
      );
      const [, list = ''] = /there are ([\w, ]+)/.exec(error ?? '') ?? [];
      const internal = ['pageFolder', 'clock', 'prefix', 'logLevel', 'logSerializers'];
      const taken = list.split(', ').filter((name) => !internal.includes(name));
      const named = [...rows.map(({ name }) => name), ...elsewhere];
      expect(taken.toSorted()).toEqual(named.filter((name) => !before.includes(name)).toSorted());
    });
  },
);

it('finish reporters take the options of their type', () => {
  const named = rowsOf('## Finish reporters').map(({ name }) => name);
  const known = (['slack', 'email'] as const).flatMap((type) => {
    try {
      resolveFinishReporters([{ type, ['x'.repeat(60)]: 1 }]);
      return [];
    } catch (error) {
      return /there are ([\w, ]+)/.exec(String(error))?.[1]?.split(', ') ?? [];
    }
  });
  expect([...new Set(known)].toSorted()).toEqual(named.toSorted());
});

it('the page names what DEBUG knows, and nothing else', () => {
  const [, row = ''] = /^\| `DEBUG` +\| (.*)$/m.exec(text) ?? [];
  const named = [...row.matchAll(/`(?:oada-jobs)?:(\w+)`/g)].map(([, name = '']) => name);
  const lib = join(root, 'lib');
  const known = readdirSync(lib, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [...textOf(`lib/${name}`).matchAll(/\bdebug\('oada-jobs:(\w+)'\)/g)])
    .map(([, name = '']) => name);
  expect(named.toSorted()).toEqual([...new Set(known)].toSorted());
});

it('every heading of the page has its options looked at', () => {
  const headings = [...text.matchAll(/^###? .+$/gm)].map(([heading]) => heading);
  expect(headings.filter((heading) => heading !== '### Environment')).toEqual(
    sections.map(({ heading }) => heading),
  );
});
