import Table from 'cli-table3';

/** A table without colours, which would be in the way in a file. */
export function plainTable(head: string[]): Table.Table {
  return new Table({ head, style: { head: [], border: [] } });
}
