import { createRequire } from 'node:module'

export type JsonSchemaObject = Readonly<Record<string, unknown>>

/** The keyword of the schema that a value breaks; undefined when it fits. */
export type MisfitOf = (value: unknown) => string | undefined

/**
 * A check of values against a JSON Schema (2020-12). The compiler is loaded by who has a schema.
 * @throws TypeError for what is no schema
 */
export function compileSchema(schema: JsonSchemaObject): MisfitOf {
  const { Ajv2020 } = createRequire(import.meta.url)('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js')
  // One for each schema: two with one `$id` do not meet, and a reload leaves nothing behind.
  const compiler = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, logger: false })
  const validate = (() => {
    try {
      return compiler.compile({ ...schema })
    } catch (cause) {
      throw new TypeError(`is no JSON Schema (${cause instanceof Error ? cause.message : 'unreadable'})`, { cause })
    }
  })()
  return (value) => (validate(value) ? undefined : (validate.errors?.[0]?.keyword ?? 'schema'))
}
