import { stringify } from '../json.js';
import type { Json } from '../json.js';
import { loadPackage } from '../packages.js';
import type { Row } from './row.js';

/** What a spreadsheet may take for a formula, also where it was escaped before. */
const FORMULA = /^'*[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

/**
 * The rows as CSV: a header, then a line for each row. Text that a spreadsheet would run as a formula has a `'` before
 * it; what is no text is JSON, and nothing where it is null.
 *
 * @param columns their names, in order
 */
export async function toCsv(columns: readonly string[], rows: readonly Row[]): Promise<string> {
  const { stringify: toCsvText } = await import('csv-stringify/sync'); // only those who have reports load it
  const lines = [columns.map(escaped), ...rows.map((row) => columns.map((name) => cellOf(row, name)))];
  return toCsvText(lines, { record_delimiter: 'windows', quoted: true, quoted_empty: true });
}

function cellOf(row: Row, name: string): string {
  const value: Json | undefined = Object.hasOwn(row, name) ? row[name] : undefined;
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? escaped(value) : (stringify(value) ?? '');
}

function escaped(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/**
 * Reads the attachment of a report's e-mail: the other way round of how it was made.
 *
 * @param content `config.attachments[0].content` of the abalonemail job, in base64
 * @returns the rows, each a text by the name of its column
 * @throws {Error} it is no CSV
 * @throws {ConfigError} the package that reads it is not there
 */
export function parseAttachment(content: string): Record<string, string>[] {
  const { parse } = loadPackage('csv-parse/sync');
  const text = Buffer.from(content, 'base64').toString('utf8');
  const [header = [], ...lines] = parse(text, { bom: true }).map((line) => line.map(unescaped));
  return lines.map((line) => Object.fromEntries(header.map((name, index) => [name, line[index] ?? ''])));
}

function unescaped(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
