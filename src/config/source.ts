import { basename, join } from 'node:path'
import {
  findNodeAtLocation,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'
import type { ConfigurationProblem } from '../errors.js'
import { type ConfigurationFiles, notRegular } from './files.js'
import { type Path, pathOf, pointerOf } from './pointer.js'

/** The file as it was written: its value, and where in it everything is. */
export interface Source {
  /** `frontends.json` */
  readonly name: string
  /** Undefined when there is nothing to look at. */
  readonly value: unknown
  /** What is wrong with it as JSON. */
  readonly problems: readonly ConfigurationProblem[]
  /** `frontends.json:12:7`: the setting, or the nearest thing around it that is there. */
  locate(pointer: string): string
  /** For sorting by place. */
  offsetOf(pointer: string): number
}

/** Reads JSON with comments. @param name What it is called in messages. Default: without its folder. */
export function readSource(file: string, files: ConfigurationFiles, name = basename(file)): Source {
  const wrong = (problem: string, remedy: string): Source =>
    emptySource(name, { pointer: '', problem, remedy, where: name })
  let bytes: Buffer
  try {
    bytes = files.read(file)
  } catch (cause) {
    return wrong(...unreadable(file, (cause as NodeJS.ErrnoException).code))
  }
  const text = textOf(bytes)
  if (text === undefined) return wrong('is not a text in UTF-8', encodingRemedy(bytes))
  if (/\.ya?ml$/i.test(file) || /^\s*(?:#[^\n]*\n\s*)*(?:---|[A-Za-z_]\w*:(?:\s|$))/.test(text))
    return wrong(
      'is YAML, and JSON goes here',
      'Write it as JSON; comments (//) and trailing commas are fine. `npx --no-install sallyport init` makes a start.',
    )
  return parseSource(text, name)
}

function unreadable(file: string, code: string | undefined): [problem: string, remedy: string] {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return [`there is no file ${file}`, 'Name one with --config, or make one with `npx --no-install sallyport init`.']
    case 'EISDIR':
      return [`${file} is a folder`, `Name the file in it: --config ${join(file, 'frontends.json')}`]
    case notRegular:
      return [`${file} is a pipe, a socket or a device`, 'Name a file.']
    case 'EFBIG':
      return [`${file} is larger than 16 MB`, 'Name the file that you have written.']
    default:
      return [`the file ${file} cannot be read (${code ?? 'no code'})`, 'Let the user that runs sallyport read it.']
  }
}

/** Undefined when it is not UTF-8. A byte order mark is passed over. */
function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

function encodingRemedy(bytes: Buffer): string {
  const isWide = /^(?:fffe|feff)/.test(bytes.toString('hex', 0, 2)) || bytes.includes(0)
  return isWide
    ? 'It looks like UTF-16: save it as UTF-8. In Windows PowerShell: `Set-Content -Encoding utf8`, not `>`.'
    : 'Save it as UTF-8: an editor calls it "encoding".'
}

/** What stands in no file: there is no place in it to name. */
export function sourceOf(value: object): Source {
  const text = jsonOf(value)
  if (text === undefined)
    return emptySource('the object', {
      pointer: '',
      problem: 'is no configuration: neither the path of a file nor an object of JSON',
      remedy: 'Pass what a file could say: texts, numbers, true, false, lists and objects.',
      where: 'the object',
    })
  const { offsetOf, problems, ...parsed } = parseSource(text, '')
  return { name: 'the object', value: parsed.value, problems, locate: () => 'the object', offsetOf }
}

export function parseSource(text: string, name: string): Source {
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true })
  const at = (offset: number): string => `${name}:${position(text, offset)}`
  const nodeAt = (pointer: string): Node | undefined => {
    for (let path = pathOf(pointer); tree !== undefined; path = path.slice(0, -1)) {
      const node = findNodeAtLocation(tree, [...path])
      // A member is pointed at by its name, not by its value.
      if (node !== undefined) return node.parent?.type === 'property' ? node.parent : node
      if (path.length === 0) return undefined
    }
    return undefined
  }
  const offsetOf = (pointer: string): number => nodeAt(pointer)?.offset ?? 0
  const problems = (text.trim() === '' ? [] : errors).map(({ error, offset }) => ({
    pointer: '',
    problem: `is not JSON: ${words(printParseErrorCode(error))}`,
    remedy: /^[\u2018\u2019\u201a-\u201f]/.test(text.slice(offset, offset + 1))
      ? 'Write straight quotes ("): those are of a word processor.'
      : 'Look for a missing comma, quote or bracket there or just before.',
    where: at(offset),
  }))
  if (tree === undefined)
    problems.push({
      pointer: '',
      problem: 'is empty',
      remedy: 'Make a file with `npx --no-install sallyport init`.',
      where: at(0),
    })

  return {
    name,
    value: tree && getNodeValue(tree),
    problems: [...problems, ...(tree === undefined ? [] : [...repeatedMembers(tree, [], at)])],
    locate: (pointer) => at(offsetOf(pointer)),
    offsetOf,
  }
}

function emptySource(name: string, problem: ConfigurationProblem): Source {
  return { name, value: undefined, problems: [problem], locate: () => name, offsetOf: () => 0 }
}

/** JSON keeps the last of several members with one name, so that the first is silently ignored. */
function* repeatedMembers(node: Node, path: Path, at: (offset: number) => string): Generator<ConfigurationProblem> {
  if (node.type === 'array')
    for (const [index, item] of (node.children ?? []).entries()) yield* repeatedMembers(item, [...path, index], at)
  if (node.type !== 'object') return
  const seen = new Set<string>()
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? []
    const name = String(key?.value)
    if (seen.has(name))
      yield {
        pointer: pointerOf([...path, name]),
        problem: 'is there twice',
        remedy: 'Keep one of the two.',
        where: at(property.offset),
      }
    seen.add(name)
    if (value !== undefined) yield* repeatedMembers(value, [...path, name], at)
  }
}

function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`
}

/** `CommaExpected` → `comma expected`. */
function words(code: string): string {
  return code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
}

/** Undefined for what JSON cannot say: nothing at all, a circle, a bigint. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
