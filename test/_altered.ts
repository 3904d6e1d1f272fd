/**
 * A sealed or signed text with one character changed: always to another one, and not at the end, where the last
 * bits of base64url can mean nothing.
 */
export function altered(text: string): string {
  const place = text.length - 8
  return `${text.slice(0, place)}${text[place] === 'A' ? 'B' : 'A'}${text.slice(place + 1)}`
}
