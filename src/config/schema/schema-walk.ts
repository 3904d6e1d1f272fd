import type { JsonSchema } from './schema.js'

/** What the schema says about a member or an item of a value. */
export function schemaBelow(schema: JsonSchema | undefined, segment: string | number): JsonSchema | undefined {
  for (const candidate of alternatives(schema)) {
    if (candidate.items !== undefined && /^\d+$/.test(String(segment))) return candidate.items
    const { properties = {} } = candidate
    if (Object.hasOwn(properties, segment)) return properties[segment]
    if (typeof candidate.additionalProperties === 'object') return candidate.additionalProperties
  }
  return undefined
}

export function schemaAt(schema: JsonSchema, path: readonly (string | number)[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>(schemaBelow, schema)
}

/** The forms a value can have: one, unless the schema is a union. */
export function alternatives(schema: JsonSchema | undefined): readonly JsonSchema[] {
  return schema === undefined ? [] : (schema.anyOf?.flatMap(alternatives) ?? [schema])
}
