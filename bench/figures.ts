import Table from 'cli-table3';

/** What is measured, what it is to reach, and whether it does. */
export class Figures {
  // Without colours, which would be in the way in a file.
  readonly #table = new Table({ head: ['', 'figure', 'goal', ''], style: { head: [], border: [] } });

  /** @param goal like `≥ 0.85`; undefined: it is told to make sense of others */
  add(name: string, figure: number, goal?: string, digits = 2): void {
    this.#table.push([
      name,
      figure.toFixed(digits),
      goal ?? '',
      goal === undefined ? '' : verdict(figure, goal),
    ]);
  }

  section(title: string): void {
    this.#table.push([{ colSpan: 4, content: `— ${title}` }]);
  }

  toString(): string {
    return this.#table.toString();
  }
}

function verdict(figure: number, goal: string): string {
  const [, sign = '', value = ''] = /^([≤≥]) ([\d.,]+)/.exec(goal) ?? [];
  const bound = Number(value.replaceAll(',', ''));
  if (sign === '' || Number.isNaN(bound)) throw new Error(`no goal: ${goal}`);
  return (sign === '≤' ? figure <= bound : figure >= bound) ? 'reached' : 'missed';
}
