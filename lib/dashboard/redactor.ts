import { parseJson, stringify } from '../json.js';
import { hideSecrets, redactJson } from '../secrets.js';

/** JSON as it leaves the process: without the tokens of the stores, wherever somebody has written one. */
export class Redactor {
  readonly #secrets: ReadonlySet<string>;
  /** As they stand within JSON. */
  readonly #needles: readonly string[];

  constructor(secrets: Iterable<string>) {
    this.#secrets = new Set(secrets);
    this.#needles = [...this.#secrets].map((secret) => JSON.stringify(secret).slice(1, -1));
  }

  toText(value: unknown): string {
    const text = stringify(value) ?? 'null';
    if (!this.#needles.some((needle) => text.includes(needle))) return text;
    return JSON.stringify(redactJson(parseJson(text), (part) => hideSecrets(part, this.#secrets)));
  }
}
