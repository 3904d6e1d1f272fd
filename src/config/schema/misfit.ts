import type { z } from 'zod'
import type { ConfigurationProblem } from '../../errors.js'
import { didYouMean } from '../did-you-mean.js'
import { durationRemedy, isDuration } from '../duration.js'
import { listMeantBy, meantBy, textMeantBy } from '../meant.js'
import { type Path, pointerOf } from '../pointer.js'
import { type JsonSchema, jsonSchema } from './schema.js'
import { alternatives, schemaAt } from './schema-walk.js'

/** What to say of a value that the schema does not take. @param beside what it is a member of */
export function misfit(issue: z.core.$ZodIssue, path: Path, given: unknown, beside: unknown): ConfigurationProblem {
  const schema = schemaAt(jsonSchema, path)
  const pointer = pointerOf(path)
  const remedy = example(schema)
  switch (issue.code) {
    case 'invalid_value': {
      const choices = issue.values.map(String)
      const meant =
        typeof given === 'string'
          ? (lastWord(given, choices) ?? didYouMean(given, choices) ?? shortened(given, choices))
          : undefined
      return {
        pointer,
        problem: `is not one of ${choices.map((choice) => `"${choice}"`).join(', ')}`,
        remedy: meant === undefined ? `Write "${choiceFor(given, choices, schema)}".` : `Did you mean "${meant}"?`,
      }
    }
    case 'invalid_type':
      if (given === undefined)
        return { pointer, problem: 'is missing', remedy: otherwiseWritten(beside, path) ?? remedy }
      return {
        pointer,
        problem: `is ${kindOf(given)}; ${nounFor(issue.expected)} goes here`,
        remedy:
          (issue.expected === 'array' ? listMeantBy(pointer, given) : undefined) ??
          (issue.expected === 'string' && isItem(path) ? textMeantBy(given) : undefined) ??
          (issue.expected === 'object' ? objectMeantBy(given, schema) : undefined) ??
          (isDuration(String(schema?.examples?.[0] ?? schema?.default)) ? durationRemedy(given) : undefined) ??
          remedy,
      }
    case 'invalid_union':
      return { pointer, problem: `is ${kindOf(given)} that does not fit`, remedy: unionRemedy(given, schema) ?? remedy }
    case 'too_small':
      return { pointer, problem: typeof given === 'number' ? `is less than ${issue.minimum}` : 'is empty', remedy }
    case 'too_big':
      return { pointer, problem: `is more than ${issue.maximum}`, remedy }
    default:
      return {
        pointer,
        problem: issue.message,
        remedy: meantBy(issue.message, given) ?? remedy,
      }
  }
}

/** Of a member that is missing, and there in other letters. */
export function otherwiseWritten(beside: unknown, path: Path): string | undefined {
  const name = String(path.at(-1))
  const other = Object.keys(Object(beside)).find((key) => key !== name && key.toLowerCase() === name.toLowerCase())
  return other === undefined ? undefined : `Write "${name}" for "${other}".`
}

/** How a setting is written. */
export function example(schema: JsonSchema | undefined): string {
  if (schema?.enum !== undefined)
    return `Write one of ${schema.enum.map((choice) => JSON.stringify(choice)).join(', ')}.`
  if (schema?.type === 'boolean') return 'Write true or false, without quotes.'
  const shown = schema?.examples?.[0] ?? schema?.default
  if (shown !== undefined && !isEmpty(shown)) return `Write it as in ${JSON.stringify(shown)}.`
  switch (schema?.type) {
    case 'array':
      return `Write a list: [${itemIn(schema.items)}].`
    case 'object': {
      const members = Object.keys(schema.properties ?? {})
      return members.length === 0 ? 'Write {}.' : `Write an object with ${members.join(', ')}.`
    }
    default:
      return schema?.description ?? 'See docs/configuration.md.'
  }
}

/** A default such as `[]` shows nothing of how the setting is written. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** What an item has to have, or what comes first in it. */
function itemIn(schema: JsonSchema | undefined): string {
  const item = alternatives(schema).find(({ properties }) => properties !== undefined)
  const members = item?.required ?? Object.keys(item?.properties ?? {}).slice(0, 2)
  return members.length === 0 ? ' … ' : `{ ${members.map((name) => `"${name}": …`).join(', ')} }`
}

/** For a switch that has more than two positions: `true` is what is not so without being said. */
function choiceFor(given: unknown, choices: readonly string[], schema: JsonSchema | undefined): string | undefined {
  return (given === true ? choices.find((choice) => choice !== schema?.default) : undefined) ?? choices[0]
}

/** A number or a path where an object goes that has to have one: `3` for `{ "Max": 3 }`. Any other text could be a secret. */
function objectMeantBy(given: unknown, schema: JsonSchema | undefined): string | undefined {
  const [name = '', ...others] = schema?.required ?? []
  const member = schema?.properties?.[name]
  const isPath = typeof given === 'string' && /^\/[\w./-]{0,100}$/.test(given)
  const fits = isPath
    ? String(member?.examples?.[0]).startsWith('/')
    : typeof given === 'number' && member?.type === 'integer'
  return fits && others.length === 0 ? `Write { "${name}": ${JSON.stringify(given)} }.` : undefined
}

function unionRemedy(given: unknown, schema: JsonSchema | undefined): string | undefined {
  const members = alternatives(schema).flatMap(({ properties = {} }) => Object.keys(properties))
  if (!members.includes('File')) return textMeantBy(given)
  return `Write ${members.includes('kty') ? 'the JWK, as an object or a string' : 'the text itself'}, or {"File": "…"}, or {"Env": "…"}.`
}

/** Of a list of texts, among which no secret is. */
function isItem(path: Path): boolean {
  return typeof path.at(-1) === 'number'
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  switch (typeof value) {
    case 'string':
      return 'a text'
    case 'number':
      return 'a number'
    case 'boolean':
      return `${value}`
    default:
      return 'an object'
  }
}

function nounFor(expected: string): string {
  switch (expected) {
    case 'string':
      return 'a text'
    case 'array':
      return 'a list'
    case 'boolean':
      return 'true or false'
    case 'object':
    case 'record':
      return 'an object'
    default:
      return 'a whole number'
  }
}

/** `query.jwt` for `jwt`. */
function lastWord(given: string, choices: readonly string[]): string | undefined {
  return choices.find((choice) => given.toLowerCase().endsWith(`.${choice.toLowerCase()}`))
}

/** `warning` for `warn`. */
function shortened(given: string, choices: readonly string[]): string | undefined {
  return choices.find((choice) => given.toLowerCase().startsWith(choice.toLowerCase()))
}
