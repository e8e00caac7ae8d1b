import { readFile } from 'node:fs/promises';

import { Registry } from 'prom-client';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';

import { blocksOf } from '../docs/blocks.js';
import { Program } from '../docs/program.js';
import { makeService, startServer, TOKEN } from '../setup.js';
import { parse } from './exposition.js';

interface Metric {
  readonly type: string;
  readonly labels: readonly string[];
}

async function source(path: string): Promise<string> {
  return await readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
}

/** What a service has put into a registry. */
async function registered(): Promise<Map<string, Metric>> {
  const server = await startServer();
  const registry = new Registry();
  const service = makeService(server, 'in process', { metrics: registry });
  await service.start();
  const metrics = (await registry.getMetricsAsJSON()).map(({ name, type }): [string, Metric] => {
    const { labelNames } = registry.getSingleMetric(name) as unknown as { labelNames: string[] };
    return [name, { type: String(type), labels: labelNames }];
  });
  expect(metrics.length).toBeGreaterThan(10);
  return new Map(metrics);
}

test('every metric is documented with its type and labels, and no other', async () => {
  const rows = (await source('docs/operating/metrics.md')).matchAll(
    /^\| `(\w+)` +\| (\w+) +\| ([\w, ]+?) +\| (\w+) +\| (\S.*\S) +\| (\S.*\S) +\|$/gm,
  );
  const documented = new Map<string, Metric>();
  for (const [, name = '', type = '', labels = '', unit = ''] of rows) {
    documented.set(name, { type, labels: labels.split(', ') });
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name.endsWith('_seconds')).toBe(unit === 'seconds');
  }
  expect(documented).toEqual(await registered());
});

/** The metrics and labels in a query; those of a histogram by the name of the whole. */
function queried(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b(oada_jobs_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name: name.replace(/_(bucket|count|sum)$/, ''),
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }),
  );
}

function grouped(expression: string): string[] {
  return [...expression.matchAll(/\bby \(([^)]*)\)/g)]
    .flatMap(([, labels = '']) => labels.split(/,\s*/))
    .filter((label) => label !== 'le');
}

describe('the dashboard', () => {
  interface Panel {
    id: number;
    type: string;
    title: string;
    gridPos: { h: number; w: number; x: number; y: number };
    datasource?: { type: string; uid: string };
    targets?: { refId: string; expr: string; legendFormat: string; datasource: { uid: string } }[];
  }
  interface Dashboard {
    title: string;
    uid: string;
    schemaVersion: number;
    time: { from: string; to: string };
    templating: { list: { name: string; type: string; definition?: string }[] };
    panels: Panel[];
  }
  const read = async (): Promise<Dashboard> =>
    JSON.parse(await source('docs/operating/grafana-dashboard.json')) as Dashboard;

  test('has the fields that Grafana needs, and panels that lie beside each other', async () => {
    const dashboard = await read();
    expect(dashboard).toMatchObject({ title: 'OADA jobs', uid: 'oada-jobs', time: { to: 'now' } });
    expect(dashboard.schemaVersion).toBeGreaterThan(30);
    const variables = dashboard.templating.list.map(({ name }) => name);
    expect(variables).toEqual(['datasource', 'service']);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    const cells = new Set<string>();
    for (const { gridPos, title, type, datasource, targets } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${String(x)} ${String(y)}`), title).toBe(false);
          cells.add(`${String(x)} ${String(y)}`);
        }
      if (type === 'row') continue;
      expect(datasource).toEqual({ type: 'prometheus', uid: expect.stringMatching(/^\$\{datasource\}$/) });
      expect(targets!.length, title).toBeGreaterThan(0);
      expect(new Set(targets!.map(({ refId }) => refId)).size).toBe(targets!.length);
    }
  });

  test('asks for metrics and labels that there are, and for every metric', async () => {
    const { panels, templating } = await read();
    const metrics = await registered();
    const expressions = [
      ...panels.flatMap(({ targets = [] }) => targets),
      ...templating.list.map(({ definition = '' }) => ({ expr: definition, legendFormat: '' })),
    ];
    const used = new Set<string>();
    for (const { expr, legendFormat } of expressions) {
      const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      expect(grouped(expr), expr).toEqual(expect.arrayContaining(shown));
      for (const { name, labels } of queried(expr)) {
        used.add(name);
        expect(metrics.has(name), expr).toBe(true);
        expect(metrics.get(name)!.labels, expr).toEqual(
          expect.arrayContaining([...labels, ...grouped(expr)]),
        );
      }
    }
    expect([...used].toSorted()).toEqual([...metrics.keys()].toSorted());
  });
});

test('the alerts ask for metrics and labels that there are', async () => {
  const [, rules = ''] = /```yaml\n(.*?)```/s.exec(await source('docs/operating/metrics.md')) ?? [];
  const metrics = await registered();
  const alerts = rules.split('- alert: ').slice(1);
  expect(alerts.length).toBeGreaterThan(5);
  for (const alert of alerts) {
    const asked = queried(alert);
    expect(asked.length, alert).toBeGreaterThan(0);
    for (const { name, labels } of asked)
      expect(metrics.get(name)?.labels, alert).toEqual(
        expect.arrayContaining([...labels, ...grouped(alert)]),
      );
  }
});

describe('the program of the document', () => {
  const { fileOf, remove } = blocksOf('docs/operating/metrics.md');
  afterAll(remove);

  test('serves what Prometheus can read', async () => {
    const server = await startServer();
    const environment = { OADA_DOMAIN: server.url, OADA_TOKEN: TOKEN, port: '0' };
    const program = await Program.start(fileOf('serve'), environment);
    onTestFinished(() => program[Symbol.asyncDispose]());
    await program.printed('}');
    const [, port = ''] = /port: (\d+)/.exec(program.output) ?? [];
    const response = await fetch(`http://localhost:${port}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const samples = parse(await response.text());
    expect(samples).toContainEqual({
      name: 'oada_jobs_finished_total',
      labels: { service: 'greeter', queue: 'default', type: 'hello', outcome: 'success' },
      value: 0,
    });
  });
});
