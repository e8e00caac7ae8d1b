import { parseJson } from '../json.js';
import type { Json } from '../json.js';
import { hideSecrets, redactJson } from '../secrets.js';
import { cleanJson, cleanText } from './clean-text.js';
import { openProgressBar } from './progress-bar.js';
import type { ProgressBar } from './progress-bar.js';
import type { Sink } from './sink.js';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Text from anywhere. It is made safe where it is printed, and coloured after that. */
export type Part = string | { readonly text: string; readonly style: Style };

export interface OutputOptions {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Column {
  readonly title: string;
  /** Cut where the terminal is too narrow for it. */
  readonly isFlexible?: boolean;
}

const GAP = 2;
const NARROWEST = 12;
const PLAIN_STYLE: Readonly<Record<Style, (text: string) => string>> = Object.freeze({
  ...{ bold: String, dim: String, red: String, green: String, yellow: String, cyan: String },
});

/**
 * All that the command line prints: results on stdout, everything else on stderr. Whatever a job holds, nothing of it
 * reaches the terminal as it is, nor does a token.
 */
export class Output {
  readonly #options: OutputOptions;
  readonly #secrets = new Set<string>();
  #styles: Readonly<Record<Style, (text: string) => string>> | undefined;
  #bar: ProgressBar | undefined;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** Whether a person looks at the results. */
  get isTerminal(): boolean {
    return this.#options.stdout.isTTY === true;
  }

  /** A token: it is never printed. */
  hide(secret: string): void {
    this.#secrets.add(secret);
  }

  /** Has to be called, and waited for, before the first line: the colours are loaded where there are any. */
  async prepare(): Promise<void> {
    if (this.#styles !== undefined) return;
    const { stdout, stderr, environment } = this.#options;
    const { NO_COLOR = '', TERM } = environment;
    const isColoured = stdout.isTTY === true && stderr.isTTY === true && NO_COLOR === '' && TERM !== 'dumb';
    const colours = isColoured ? (await import('picocolors')).default.createColors(true) : undefined;
    this.#styles = colours ?? PLAIN_STYLE;
  }

  /** A line of the result. */
  line(...parts: readonly Part[]): void {
    this.#options.stdout.write(`${this.#render(parts)}\n`);
  }

  /** The same, with a tab between the parts. */
  fields(...parts: readonly Part[]): void {
    this.#options.stdout.write(`${parts.map((part) => this.#render([part])).join('\t')}\n`);
  }

  /** A line that is no part of the result. */
  note(...parts: readonly Part[]): void {
    this.#options.stderr.write(`${this.#render(parts)}\n`);
  }

  warn(message: string): void {
    this.note({ text: 'warning:', style: 'yellow' }, ` ${message}`);
  }

  error(message: string): void {
    this.note({ text: 'error:', style: 'red' }, ` ${message.replaceAll(/\s+/g, ' ').trim()}`);
  }

  /** An object in a line of its own, for programs. */
  json(value: object): void {
    this.#options.stdout.write(`${cleanJson(JSON.stringify(this.#redacted(value)))}\n`);
  }

  /** JSON in many lines, for people. */
  block(value: Json, indent = 0): void {
    for (const line of JSON.stringify(this.#redacted(value), undefined, 2).split('\n'))
      this.line(`${' '.repeat(indent)}${line}`);
  }

  async table(columns: readonly Column[], rows: readonly (readonly Part[])[]): Promise<void> {
    const { default: Table } = await import('cli-table3');
    const cells = rows.map((row) => row.map((part) => this.#clean(part)));
    const widths = columns.map(({ title }, index) =>
      Math.max(title.length, ...cells.map((row) => row[index]?.text.length ?? 0)),
    );
    const table = new Table({
      chars: NO_BORDERS,
      style: { 'padding-left': 0, 'padding-right': 0, border: [], head: [] },
    });
    table.push(columns.map(({ title }) => this.#paint({ text: title, style: 'bold' })));
    for (const row of cells) {
      table.push(row.map((cell, index) => this.#paint(this.#fitted(cell, columns, widths, index))));
    }
    const lines = table.toString().split('\n');
    // Each part is clean, and what stands between them is ours.
    for (const line of lines) this.#options.stdout.write(`${line.trimEnd()}\n`);
  }

  /** On stderr, where that is a terminal; otherwise nothing is seen of it. */
  async progress(label: string, total: number): Promise<ProgressBar> {
    const { stderr } = this.#options;
    this.#bar?.stop();
    this.#bar = await openProgressBar(stderr, label, total);
    return this.#bar;
  }

  /** Leaves the terminal as it was. */
  close(): void {
    this.#bar?.stop();
  }

  #render(parts: readonly Part[]): string {
    return parts.map((part) => this.#paint(this.#clean(part))).join('');
  }

  #clean(part: Part): { readonly text: string; readonly style: Style | undefined } {
    const { text, style } = typeof part === 'string' ? { text: part, style: undefined } : part;
    return { text: cleanText(hideSecrets(text, this.#secrets)), style };
  }

  #paint({ text, style }: { readonly text: string; readonly style: Style | undefined }): string {
    const styles = this.#styles ?? PLAIN_STYLE;
    return style === undefined || text === '' ? text : styles[style](text);
  }

  /** Only people have a width: what goes to a program is whole. */
  #fitted<T extends { readonly text: string }>(
    cell: T,
    columns: readonly Column[],
    widths: readonly number[],
    index: number,
  ): T {
    const { columns: width = 0 } = this.#options.stdout;
    // A terminal that does not know its width says 0.
    if (columns[index]?.isFlexible !== true || !this.isTerminal || width === 0) return cell;
    const others = widths.reduce((sum, other, at) => (at === index ? sum : sum + other + GAP), 0);
    const room = Math.max(NARROWEST, width - others);
    return cell.text.length <= room ? cell : { ...cell, text: `${cell.text.slice(0, room - 1)}…` };
  }

  #redacted(value: object | Json): Json {
    // What has no place in JSON, such as dates, becomes what stands for it.
    const json = parseJson(JSON.stringify(value));
    return redactJson(json, (text) => hideSecrets(text, this.#secrets));
  }
}

const NO_BORDERS: Readonly<Record<string, string>> = Object.freeze({
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
  middle: ' '.repeat(GAP),
});
