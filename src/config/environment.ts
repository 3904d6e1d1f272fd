import type { ConfigurationProblem } from '../errors.js'
import { didYouMean } from './did-you-mean.js'
import { type Path, pointerOf } from './pointer.js'
import { type JsonSchema, jsonSchema } from './schema/schema.js'
import { alternatives, schemaBelow } from './schema/schema-walk.js'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Overridden {
  readonly value: unknown
  /** JSON Pointer → the variable that set it. */
  readonly variables: ReadonlyMap<string, string>
  readonly problems: readonly ConfigurationProblem[]
}

type Json = { [member: string]: Json } | Json[] | string | number | boolean | null | undefined

/**
 * Puts variables such as `Bff__Frontends__0__ClientId` over what the file says. Segments ignore case, lists go by index,
 * and the schema tells what a value is: only where it can be nothing but a list or an object is it read as JSON.
 */
export function override(value: unknown, environment: Environment): Overridden {
  const root = structuredClone(value) as Json
  const variables = new Map<string, string>()
  const problems: ConfigurationProblem[] = []
  const roots = Object.keys(jsonSchema.properties ?? {}).map((name) => name.toLowerCase())
  const names = Object.keys(environment)
    .filter((name) => name.includes('__') && roots.includes(name.split('__', 1)[0]?.toLowerCase() ?? ''))
    // By number, so that entry 2 of a list is there before entry 10.
    .sort((left, right) => left.localeCompare(right, 'en', { numeric: true, sensitivity: 'base' }))

  for (const name of Object.keys(environment)) {
    const meant = withTwoUnderscores(name, roots)
    if (meant !== undefined)
      problems.push({
        pointer: '',
        where: name,
        problem: 'is not read: between the parts of a name there are two underscores',
        remedy: `Write ${meant}.`,
      })
  }
  for (const name of names) {
    const found = settingNamed(name, jsonSchema)
    if ('problem' in found) {
      problems.push({ ...found, where: name })
      continue
    }
    const problem = write(root, found.path, typed(environment[name] ?? '', found.schema))
    if (problem === undefined) variables.set(pointerOf(found.path), name)
    else problems.push({ pointer: pointerOf(found.path), ...problem, where: name })
  }
  return { value: root, variables, problems }
}

/** A setting, for all but its underscores. Short names may be another program's: `STORE_FILE`. */
function withTwoUnderscores(name: string, roots: readonly string[]): string | undefined {
  const parts = name.split(/_+/)
  if (name.includes('__') || parts.length < 3 || !roots.includes(parts[0]?.toLowerCase() ?? '')) return undefined
  const meant = parts.join('__')
  return 'path' in settingNamed(meant, jsonSchema) ? meant : undefined
}

type Found = { readonly path: Path; readonly schema: JsonSchema } | ConfigurationProblem

function settingNamed(variable: string, root: JsonSchema): Found {
  const path: (string | number)[] = []
  let schema: JsonSchema = root
  for (const segment of variable.split('__')) {
    const known = alternatives(schema).flatMap(({ properties = {} }) => Object.keys(properties))
    const name = known.find((candidate) => candidate.toLowerCase() === segment.toLowerCase()) ?? segment
    const below = schemaBelow(schema, name)
    if (below === undefined) {
      const meant = didYouMean(segment, known)
      return {
        pointer: pointerOf([...path, segment]),
        problem: 'is not a known setting',
        remedy: meant === undefined ? `Known here: ${known.join(', ') || 'nothing'}.` : `Did you mean ${meant}?`,
      }
    }
    path.push(/^\d+$/.test(name) ? Number(name) : name)
    schema = below
  }
  return { path, schema }
}

/** What does not fit stays text, for the schema to refuse with its own words. */
function typed(text: string, schema: JsonSchema): Json {
  const types = alternatives(schema).map(({ type }) => type)
  if (types.includes('string')) return text
  // A claim can be anything: text, unless it can only be meant as something else.
  if (types.includes(undefined) && !/^(?:[[{"]|true$|false$)/.test(text)) return text
  if (types.includes('boolean') && /^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  if ((types.includes('integer') || types.includes('number')) && /^\d+$/.test(text)) return Number(text)
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

function write(root: Json, path: Path, value: Json): Omit<ConfigurationProblem, 'pointer'> | undefined {
  let holder = root
  for (const [depth, segment] of path.entries()) {
    const last = depth === path.length - 1
    const fresh = typeof path[depth + 1] === 'number' ? [] : {}
    if (Array.isArray(holder)) {
      if (Number(segment) > holder.length)
        return {
          problem: `would be entry ${segment} of a list that has ${holder.length}`,
          remedy: `Number the next one ${holder.length}: lists are counted from 0 and have no gaps.`,
        }
      holder[Number(segment)] = last ? value : container(holder[Number(segment)], fresh)
      holder = holder[Number(segment)]
    } else if (typeof holder === 'object' && holder !== null) {
      const member = String(segment)
      holder[member] = last ? value : container(holder[member], fresh)
      holder = holder[member]
    }
  }
  return undefined
}

/** What is there, if it can hold something; a text or nothing gives way. */
function container(present: Json, fresh: Json): Json {
  return typeof present === 'object' && present !== null ? present : fresh
}
