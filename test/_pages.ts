import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A code block of a page, and what its fence says. */
export interface Block {
  readonly page: string
  readonly line: number
  readonly fence: string
  readonly text: string
}

/** The documents for users and contributors. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  ...(await readdir('docs')).filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
]

export async function blocksOf(page: string): Promise<Block[]> {
  const text = await readFile(page, 'utf8')
  return [...text.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length,
    fence: (match[1] ?? '').trim(),
    text: match[2] ?? '',
  }))
}

/** A copy in which the place that a JSON Pointer names holds another value. */
export function withAt(configuration: unknown, pointer: string, value: unknown): unknown {
  const [member = '', ...rest] = pointer.slice(1).split('/')
  const inner = (part: unknown): unknown =>
    rest.length === 0 ? value : withAt(part ?? {}, `/${rest.join('/')}`, value)
  if (Array.isArray(configuration)) {
    const index = member === '-' ? configuration.length : Number(member)
    return Object.assign([...configuration], { [index]: inner(configuration[index]) })
  }
  const object = configuration as Record<string, unknown>
  return { ...object, [member]: inner(object[member]) }
}
