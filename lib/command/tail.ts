/** The end of what was written to a stream. */
export interface Tail {
  /** Remembers it, in place of what is too long ago. */
  add(chunk: Uint8Array): void;
  /** What it remembers. */
  read(): Kept;
  clear(): void;
}

export interface Kept {
  readonly bytes: Uint8Array;
  /** How many bytes came before these, and are gone. */
  readonly dropped: number;
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;

/** Holds no more than so many bytes, however many come, and in however small pieces. */
export function tailOf(limit: number): Tail {
  let ring: Buffer | undefined; // most commands leave one of their streams empty
  let total = 0;
  const add = (chunk: Uint8Array): void => {
    if (chunk.length === 0) return;
    ring ??= Buffer.alloc(limit);
    const last = chunk.subarray(-limit);
    const start = (total + chunk.length - last.length) % limit;
    const upToEnd = last.subarray(0, limit - start);
    ring.set(upToEnd, start);
    ring.set(last.subarray(upToEnd.length), 0);
    total += chunk.length;
  };
  const read = (): Kept => {
    if (ring === undefined) return { bytes: new Uint8Array(), dropped: 0 };
    if (total <= limit) return { bytes: Uint8Array.from(ring.subarray(0, total)), dropped: 0 };
    const start = total % limit;
    const kept = Buffer.concat([ring.subarray(start), ring.subarray(0, start)]);
    const skipped = partOfWord(kept);
    return { bytes: kept.subarray(skipped), dropped: total - limit + skipped };
  };
  const clear = (): void => {
    ring = undefined;
    total = 0;
  };
  return { add, read, clear };
}

/**
 * How much to leave out at the beginning of what was cut somewhere: up to the next line, or at least the next word. Half
 * of a word could be half of a secret, which nobody would recognize.
 */
function partOfWord(bytes: Uint8Array): number {
  const half = bytes.subarray(0, Math.ceil(bytes.length / 2));
  const line = half.indexOf(LINE_FEED);
  if (line >= 0) return line + 1;
  const word = half.findIndex((byte) => byte <= SPACE);
  if (word >= 0) return word + 1;
  const character = half.findIndex((byte) => (byte & 0b1100_0000) !== 0b1000_0000);
  return Math.max(0, character);
}

/** Bytes that are no UTF-8 become U+FFFD. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** The text in pieces of at most so many characters, cut between lines or words where there are any. */
export function* piecesOf(text: string, length: number): Generator<string> {
  let rest = text;
  while (rest.length > length) {
    const piece = rest.slice(0, length);
    const line = piece.lastIndexOf('\n') + 1;
    const word = piece.lastIndexOf(' ') + 1;
    const end = line > 0 ? line : word > 0 ? word : withoutHalf(piece);
    yield rest.slice(0, end);
    rest = rest.slice(end);
  }
  if (rest !== '') yield rest;
}

/** Some characters are made of two; the first alone is none. */
function withoutHalf(piece: string): number {
  return /[\uD800-\uDBFF]$/.test(piece) ? piece.length - 1 : piece.length;
}
