/** What a piece of JSON is; `none`: what stands between those that have a colour. */
type Kind = 'name' | 'text' | 'value' | 'none';

export interface Token {
  readonly kind: Kind;
  readonly text: string;
}

/** A page of more spans than this has is slow. */
const MOST_COLOURED = 200_000;
/**
 * A string with the colon that makes it a name, a string, another value. A string may end where the text does, which may
 * have been cut: else all of what follows would be looked at again from each quote within it.
 */
const TOKENS =
  /("(?:\\.|[^"\\])*(?:"|\\?$))(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** All of the text, in pieces. */
export function tokensOf(text: string): Token[] {
  if (text.length > MOST_COLOURED) return [{ kind: 'none', text }];
  const tokens: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [all, string, colon] = match;
    if (match.index > end) tokens.push({ kind: 'none', text: text.slice(end, match.index) });
    const kind = string === undefined ? 'value' : colon === undefined ? 'text' : 'name';
    tokens.push({ kind, text: all });
    end = match.index + all.length;
  }
  return end < text.length ? [...tokens, { kind: 'none', text: text.slice(end) }] : tokens;
}
