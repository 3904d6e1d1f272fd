/** No byte outside of these is read in another way by anything: neither encoded nor in upper case, no dot at an end. */
const readsOneWay = /^(?:\/[a-z0-9\-._~]*[a-z0-9\-_~])*\/?$/
const encoded = /%[0-9A-Fa-f]{2}/g
/** ASCII written in more bytes than it takes (RFC 3629 §3), one character for each byte. */
const overlong = /(?:[\xC0\xC1]|\xE0[\x80\x81]|\xF0\x80[\x80\x81]|\xF8\x80\x80[\x80\x81])[\x80-\xBF]/g
/** What looks like a slash, and becomes one in some character set. */
const slashes = /[\\\u2044\u2215\u2216\u29F5\u29F8\u29F9]/g
/** Accents, soft hyphens and what has no width; also what a decoder puts for bytes that mean nothing. */
const unseen = /[\p{M}\p{Default_Ignorable_Code_Point}\uFFFD]|(?!\0)\p{Cc}/gu

/**
 * How a lenient server behind us may read a path: everything decoded, compatible characters made one, case and repeated
 * slashes ignored, cut where a query, a parameter of a segment or a file's stream begins, without spaces and dots at the ends
 * of segments. What applies to one reading only must not be chosen by the other.
 */
export function lenientReading(path: string): string {
  if (readsOneWay.test(path)) return path
  return (
    plainCharacters(path)
      .replace(/[?#\0].*$/s, '')
      .replace(/[;:][^/]*/g, '')
      .split('/')
      .map(withoutMargins)
      .join('/')
      .replace(/\/{2,}/g, '/')
      // A dotless i is one letter with i only on the way up.
      .toUpperCase()
      .toLowerCase()
  )
}

/** Whether some server takes a segment for `.` or `..`, also with the parameters that Java servers cut off (`..;x`). */
export function hasDotSegment(path: string): boolean {
  if (!/[.%]/.test(path)) return false
  const segments = path.includes('%') ? plainCharacters(path).split(/[/?#\0]/) : path.split('/')
  return segments.some((segment) => {
    const name = segment.replace(/[;:].*$/s, '')
    return /^\.\.?$/.test(name.replace(/\s/g, ''))
  })
}

function plainCharacters(path: string): string {
  const bytes = path.includes('%') ? decodeAll(path) : path
  if (!/[\x80-\xFF]/.test(bytes)) return bytes.replace(unseen, '').replaceAll('\\', '/')
  const text = Buffer.from(bytes.replace(overlong, shortest), 'latin1').toString('utf8')
  return text.normalize('NFKD').replace(unseen, '').replace(slashes, '/')
}

function shortest(bytes: string): string {
  const [before = 0, last = 0] = [...bytes.slice(-2)].map((byte) => byte.charCodeAt(0))
  return String.fromCharCode(((before & 1) << 6) | (last & 0x3f))
}

function withoutMargins(segment: string): string {
  let [start, end] = [0, segment.length]
  while (start < end && isSpace(segment[start])) start++
  while (end > start && (segment[end - 1] === '.' || isSpace(segment[end - 1]))) end--
  return segment.slice(start, end)
}

function isSpace(character = ''): boolean {
  return character === '+' || /^\s$/.test(character)
}

/** Decodes until nothing changes, at most four times: every pass shortens the path by two thirds of what it decodes. */
function decodeAll(path: string): string {
  let decoded = path
  for (let pass = 0; pass < 4 && decoded.includes('%'); pass++) {
    decoded = decoded.replace(encoded, (octet) => String.fromCharCode(Number.parseInt(octet.slice(1), 16)))
  }
  return decoded
}
