import type { ConfigurationProblem } from '../../errors.js'
import { type Path, pointerOf } from '../pointer.js'
import { example, otherwiseWritten } from './misfit.js'
import type { JsonSchema } from './schema.js'
import { alternatives, schemaAt } from './schema-walk.js'

/** What the schema requires below a place, and nothing is there. @param path of the place, from the root */
export function* missingMembers(
  value: unknown,
  schema: JsonSchema | undefined,
  path: Path,
): Generator<ConfigurationProblem> {
  if (Array.isArray(value))
    for (const [index, item] of value.entries())
      yield* missingMembers(item, schemaAt(schema ?? {}, [index]), [...path, index])
  else if (typeof value === 'object' && value !== null) {
    for (const { required = [], properties = {} } of alternatives(schema).slice(0, 1))
      for (const name of required) {
        const member = (value as Record<string, unknown>)[name]
        if (member === undefined || (Array.isArray(member) && member.length === 0))
          yield {
            pointer: pointerOf([...path, name]),
            problem: member === undefined ? 'is missing' : 'is empty',
            remedy:
              otherwiseWritten(value, [name]) ??
              `${properties[name]?.description ?? ''} ${example(properties[name])}`.trim(),
          }
      }
    for (const [name, member] of Object.entries(value))
      yield* missingMembers(member, schemaAt(schema ?? {}, [name]), [...path, name])
  }
}
