import { createRequire } from 'node:module'
import { createContext, Script } from 'node:vm'

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
  // It would answer with a promise, which is true whatever comes of it.
  if ('$async' in validate) throw new TypeError('is no JSON Schema ($async)')
  const fits: MisfitOf = (value) => (validate(value) ? undefined : (validate.errors?.[0]?.keyword ?? 'schema'))
  return /"pattern(?:Properties)?":/.test(JSON.stringify(schema)) ? withinTime(fits) : fits
}

/** Milliseconds. */
const patience = 100

/**
 * A pattern such as `^(a+)+$` can take years over a text of forty characters, which strangers may send. What has not been
 * decided in time does not fit.
 */
function withinTime(misfitOf: MisfitOf): MisfitOf {
  const script = new Script('decide()')
  return (value) => {
    const context = createContext({ decide: () => misfitOf(value) })
    try {
      return script.runInContext(context, { timeout: patience }) as ReturnType<MisfitOf>
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
        return 'pattern, which takes too long'
      throw error
    }
  }
}
