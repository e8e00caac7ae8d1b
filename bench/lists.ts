import { OADAServer } from '@oada/jobs/server';

const ROUNDS = 5;

/** What it takes to put and delete one link, in µs, in a short list and in a long one: the medians of several rounds. */
export async function linkCosts(
  path: string,
  total: number,
): Promise<{ small: number; large: number; ratio: number }> {
  await using server = await OADAServer.start({ path });
  const client = server.client();
  const contentType = 'application/json';
  const cost = async (length: number, count: number): Promise<number> => {
    const started = performance.now();
    for (let index = 0; index < count; index++) {
      const at = `/resources/list${String(length)}/new${String(index)}`;
      await client.put({ path: at, data: { _id: 'resources/target' }, contentType });
      await client.delete({ path: at });
    }
    return ((performance.now() - started) * 1000) / count;
  };
  const lengths = [100, 100_000];
  const costs: number[][] = [[], []];
  for (const length of lengths) {
    const links = Array.from({ length }, (_, index) => [
      `k${String(index)}`,
      { _id: `resources/x${String(index)}` },
    ]);
    const data = Object.fromEntries(links) as Record<string, { _id: string }>;
    await client.put({ path: `/resources/list${String(length)}`, data, contentType });
    await cost(length, 200);
  }
  // By turns, so that a slow moment of the machine falls on both.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, length] of lengths.entries())
      costs[index]?.push(await cost(length, Math.ceil(total / ROUNDS)));
  }
  const [small = 0, large = 0] = costs.map(median);
  return { small, large, ratio: large / small };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
