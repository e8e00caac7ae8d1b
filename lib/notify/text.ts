/** Part of a message, in lines: one of a job's document, say. */
export interface NoticePart {
  readonly title: string;
  readonly text: string;
}

const MAX_WORD = 200;
const MAX_URL = 1000;
export const MAX_PART = 20_000;

/** Control characters could make lines of their own, others turn the text around. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** Hides what must not be told, and then makes one short line of it: of a secret that is cut in two, a half would stay. */
export function wordOf(text: string, redact: (text: string) => string): string {
  return oneLine(redact(text), MAX_WORD);
}

/** Where something is in the store: a URL that holds nothing but what a URL may, or a path where the store's is not known. */
export function placeOf(
  storeUrl: string | undefined,
  path: string,
  redact: (text: string) => string,
): string {
  const place = storeUrl === undefined ? path : storeUrl.replace(/\/+$/, '') + path;
  return encode(oneLine(redact(place), MAX_URL));
}

function oneLine(text: string, limit: number): string {
  const short = cut(text, limit).replace(UNSEEN, ' ').trim();
  return Buffer.from(short).toString(); // a copy: part of a text holds on to the whole
}

export function lines(text: string, limit: number = MAX_PART): string {
  const seen = cut(text, limit).split('\n');
  return seen.map((line) => line.replace(UNSEEN, ' ').trimEnd()).join('\n');
}

/** At most so many characters, the mark of the cut included. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // Half of a pair is no character.
  return `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Leaves only what can stand in a URL: an address that ends early leads elsewhere. */
function encode(url: string): string {
  return url.replace(/[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/gu, (character) => encodeURIComponent(character));
}
