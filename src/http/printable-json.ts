/** What moves a terminal's cursor, colours what follows, or turns the direction of writing; but for the line feed. */
export const unprintable = /(?!\n)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

/**
 * JSON for programs that a terminal may be shown, too: a browser's name or a subject may come from an attacker. JSON escapes
 * the old control characters only; U+009B begins a command to a terminal just as ESC does.
 * @param indent Spaces of each level. Default: all in one line.
 */
export function printableJson(value: object, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
