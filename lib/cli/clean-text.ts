/**
 * What a terminal may act upon, or what makes text look like other text: control characters, those that change the
 * direction of writing or cannot be seen, halves of characters. The two joiners that some scripts are written with stay.
 */
const UNSAFE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' };

/** The text in one line, with what is unsafe spelled out. All that is printed goes through here, or {@link cleanJson}. */
export function cleanText(text: string): string {
  return text.replaceAll(UNSAFE, (character) => NAMED[character] ?? `\\u{${hexOf(character, 0)}}`);
}

/** The same for a text of JSON: what it says stays what it is. */
export function cleanJson(json: string): string {
  return json.replaceAll(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, index) => {
      const unit = character.charCodeAt(index).toString(16);
      return `\\u${unit.padStart(4, '0')}`;
    }).join(''),
  );
}

function hexOf(character: string, index: number): string {
  return (character.codePointAt(index) ?? 0).toString(16);
}
