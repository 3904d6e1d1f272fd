import { basename, join, resolve } from 'node:path'
import type { ConfigurationProblem } from '../errors.js'
import type { Sliced } from '../slices.js'
import type { ConfigurationFiles } from './files.js'
import { readSource, type Source } from './source.js'

/** A frontend that has a file of its own. */
export interface FrontendFile {
  /** Its place in the list of all: after those of the configuration file, in the order of the files' names. */
  readonly index: number
  readonly source: Source
  /** What its relative paths start at. */
  readonly directory: string
}

export interface WithFolder {
  /** The configuration, with the folder's frontends in its list. */
  readonly value: unknown
  readonly files: readonly FrontendFile[]
  readonly problems: readonly ConfigurationProblem[]
  /** Pointers of files that are no frontends: nothing more needs to be said about these. */
  readonly broken: readonly string[]
}

const pointer = '/Bff/FrontendsFolder'

/** Reads `Bff.FrontendsFolder`: each file in it that ends in `.json` is one frontend. */
export function* withFrontendsFolder(value: unknown, directory: string, files: ConfigurationFiles): Sliced<WithFolder> {
  const bff = member(value, 'Bff')
  const named = member(bff, 'FrontendsFolder')
  const own = member(bff, 'Frontends') ?? []
  // What does not fit is for the schema to refuse.
  if (typeof named !== 'string' || named === '' || !Array.isArray(own))
    return { value, files: [], problems: [], broken: [] }
  const folder = resolve(directory, named)
  const names = namesIn(folder, files)
  if (typeof names === 'string')
    return {
      value,
      files: [],
      problems: [{ pointer, problem: `names ${named}, which ${names}`, remedy: remedyFor(directory) }],
      broken: [],
    }
  const found: FrontendFile[] = []
  for (const [index, name] of names.entries()) {
    const source = readSource(join(folder, name), files, join(basename(folder), name))
    found.push({ index: own.length + index, source, directory: folder })
    yield
  }
  const frontends = [...own, ...found.map(({ source }) => frontendIn(source.value))]
  const faults = found.map(({ index, source }) => {
    const at = `/Bff/Frontends/${index}`
    return { at, problems: [...problemsOf(source, at)] }
  })
  return {
    value: { ...(value as object), Bff: { ...(bff as object), Frontends: frontends } },
    files: found,
    problems: faults.flatMap(({ problems }) => problems),
    broken: faults.filter(({ problems, at }) => problems.some(({ pointer }) => pointer === at)).map(({ at }) => at),
  }
}

/** What an editor or a mounted volume puts beside them begins with a dot, or does not end so. */
function namesIn(folder: string, files: ConfigurationFiles): readonly string[] | string {
  try {
    const names = files.list(folder).filter((name) => /^[^.].*\.json$/.test(name))
    return names.length > 0 ? names : 'has no file that ends in .json'
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
        return 'is not there'
      case 'ENOTDIR':
        return 'is not a folder'
      default:
        return 'cannot be read'
    }
  }
}

function remedyFor(directory: string): string {
  return `Write one frontend into each file of it, as in { "Name": "app" }. Relative paths start at ${directory}.`
}

/** `$schema` is for editors. */
function frontendIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const { $schema: _, ...frontend } = value as Record<string, unknown>
  return frontend
}

function* problemsOf({ value, problems }: Source, at: string): Generator<ConfigurationProblem> {
  for (const problem of problems) yield { ...problem, pointer: at + problem.pointer }
  if (value === undefined) return
  const isFrontend = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isFrontend || member(value, 'Bff') !== undefined)
    yield {
      pointer: at,
      problem: 'is not one frontend',
      remedy: 'Write what stands between the braces of one entry of Bff.Frontends, as in { "Name": "app" }.',
    }
}

function member(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[name] : undefined
}

/** Says of problems in such files where they are, and by which pointer: that of the file itself. */
export function inTheirFiles(
  { pointer, problem, remedy, ...rest }: ConfigurationProblem,
  files: readonly FrontendFile[],
): ConfigurationProblem {
  const own = entryOf(pointer)
  const file = own && files.find(({ index }) => index === own.index)
  // Others may be spoken of.
  const named = (text: string): string =>
    text.replace(/\/Bff\/Frontends\/\d+(?:\/[\w/]*)?/g, (mention) => {
      const entry = entryOf(mention)
      const other = entry && files.find(({ index }) => index === entry.index)
      return other === undefined ? mention : `${other.source.name} ${entry?.below || '/'}`
    })
  const said = { ...rest, problem: named(problem), remedy: named(remedy) }
  return file === undefined || own === undefined
    ? { ...said, pointer }
    : { ...said, pointer: own.below, where: rest.where ?? file.source.locate(own.below) }
}

function entryOf(pointer: string): { readonly index: number; readonly below: string } | undefined {
  const [, index, below = ''] = /^\/Bff\/Frontends\/(\d+)(\/.*)?$/.exec(pointer) ?? []
  return index === undefined ? undefined : { index: Number(index), below }
}
