import type { MetricsRegistry } from '@oada/jobs';
import { expect } from 'vitest';

/** What Prometheus would read. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = String.raw`([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"`;
const SAMPLE = new RegExp(String.raw`^(${NAME})(?:\{(${LABEL}(?:,${LABEL})*)?\})? (\S+)$`);
const ESCAPED: Readonly<Record<string, string>> = { n: '\n' };

/** Reads the text format, and refuses what is none; each series stands there once. */
export function parse(text: string): Sample[] {
  const samples: Sample[] = [];
  const seen = new Set<string>();
  const types = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('# HELP ')) continue;
    const [, typed, type] = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line) ?? [];
    if (typed !== undefined && type !== undefined) {
      expect(types.has(typed), line).toBe(false);
      types.set(typed, type);
      continue;
    }
    const match = SAMPLE.exec(line);
    expect(match, line).not.toBeNull();
    const [, name = '', list = ''] = match!;
    const value = Number(match!.at(-1)!.replace('+Inf', 'Infinity'));
    expect(value, line).not.toBeNaN();
    expect(types.has(name) || types.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram').toBe(true);
    const labels = Object.fromEntries(
      [...list.matchAll(new RegExp(LABEL, 'g'))].map(([, label, escaped]) => [
        label!,
        escaped!.replaceAll(/\\(.)/g, (_, character: string) => ESCAPED[character] ?? character),
      ]),
    );
    const series = JSON.stringify([name, Object.entries(labels).toSorted()]);
    expect(seen.has(series), line).toBe(false);
    seen.add(series);
    samples.push({ name, labels, value });
  }
  return samples;
}

export async function samplesOf(registry: MetricsRegistry | undefined): Promise<Sample[]> {
  return parse(await registry!.metrics());
}

/** The sum over all series of a name that have these labels. */
export async function valueOf(
  registry: MetricsRegistry | undefined,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const wanted = (await samplesOf(registry)).filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return wanted.reduce((sum, { value }) => sum + value, 0);
}

/** What was counted, by the values of some labels; what is zero is left out. */
export async function countsOf(
  registry: MetricsRegistry | undefined,
  name: string,
  labels: readonly string[],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const sample of await samplesOf(registry)) {
    if (sample.name !== name || sample.value === 0) continue;
    const key = labels.map((label) => sample.labels[label]).join(' ');
    counts[key] = (counts[key] ?? 0) + sample.value;
  }
  return counts;
}
