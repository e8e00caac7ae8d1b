import { spawnSync } from 'node:child_process';

/** Median of several new processes, in ms, for each module by turns. */
export function importTimes(names: readonly string[], rounds: number): number[] {
  const times: number[][] = names.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [index, name] of names.entries()) times[index]?.push(importTime(name));
  return times.map((all) => all.toSorted((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0);
}

function importTime(name: string): number {
  const program =
    'const from = performance.now();' +
    `await import(${JSON.stringify(name)});` +
    'process.stdout.write(String(performance.now() - from)); process.exit()';
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program]);
  if (status !== 0) throw new Error(stderr.toString());
  return Number(stdout.toString());
}
