import { parseJson, stringify } from '../json.js';
import { hideSecrets, redactJson } from '../secrets.js';

/** JSON as it leaves the process: without the tokens of the stores, wherever somebody has written one. */
export class Redactor {
  readonly #secrets: ReadonlySet<string>;
  /** As they stand within JSON. */
  readonly #needles: readonly string[];

  constructor(secrets: Iterable<string>) {
    // What is JSON within a text, a result that is shown as text, say, has it with signs of its own before some characters.
    this.#secrets = new Set([...secrets].flatMap((secret) => [secret, escaped(secret)]));
    this.#needles = [...this.#secrets].map(escaped);
  }

  toText(value: unknown): string {
    const text = stringify(value) ?? 'null';
    if (!this.#needles.some((needle) => text.includes(needle))) return text;
    return JSON.stringify(redactJson(parseJson(text), (part) => hideSecrets(part, this.#secrets)));
  }
}

function escaped(secret: string): string {
  return JSON.stringify(secret).slice(1, -1);
}
