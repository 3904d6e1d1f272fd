const deepest = 32

/**
 * Parses one JSON object the strict way: a repeated member name, at any depth, is refused rather than the last one taken
 * (RFC 7515 §4 leaves the choice; two readers that choose differently read two different proofs).
 * @returns undefined when the text is not such an object.
 */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isJsonObject(value)) return undefined
  return isCanonical(text, value) || hasUniqueMembers(text) ? value : undefined
}

/**
 * Parses one JSON array that others have written, as strictly; and no deeper than what walks it may recurse.
 * @returns undefined when the text is not such an array.
 */
export function parseJsonArray(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && hasUniqueMembers(text) ? value : undefined
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What comes out again as it went in cannot have lost a repeated member. True for nearly all real proofs, and fast. */
function isCanonical(text: string, value: unknown): boolean {
  try {
    return JSON.stringify(value) === text
  } catch {
    // Nested deeper than the stack; `hasUniqueMembers` refuses it by its depth.
    return false
  }
}

/** Walks text that is known to be JSON, with one set of names per open object. False also for what is nested too deeply. */
function hasUniqueMembers(text: string): boolean {
  const open: (Set<string> | undefined)[] = []
  let expectsName = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') {
      const end = endOfString(text, at)
      if (expectsName) {
        const name = JSON.parse(text.slice(at, end + 1)) as string
        const names = open.at(-1)
        if (names?.has(name)) return false
        names?.add(name)
        expectsName = false
      }
      at = end
    } else if (character === '{' || character === '[') {
      if (open.length === deepest) return false
      open.push(character === '{' ? new Set() : undefined)
      expectsName = character === '{'
    } else if (character === '}' || character === ']') {
      open.pop()
      expectsName = false
    } else if (character === ',') {
      expectsName = open.at(-1) !== undefined
    }
  }
  return true
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
