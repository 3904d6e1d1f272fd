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

/** Milliseconds: of work for one value, and of the clock where a busy machine gives us no time to work. */
const patience = { work: 100, wait: 1000 }

/**
 * A pattern such as `^(a+)+$` can take years over a text of forty characters, which strangers may send. What has not been
 * decided in time does not fit. A process that did not run meanwhile has decided nothing, and tries again.
 */
function withinTime(misfitOf: MisfitOf): MisfitOf {
  const script = new Script('decide()')
  return (value) => {
    const context = createContext({ decide: () => misfitOf(value) })
    const [worked, began] = [process.cpuUsage(), performance.now()]
    for (;;) {
      try {
        return script.runInContext(context, { timeout: patience.work }) as ReturnType<MisfitOf>
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
        const { user, system } = process.cpuUsage(worked)
        if ((user + system) / 1000 >= patience.work || performance.now() - began >= patience.wait)
          return 'pattern, which takes too long'
      }
    }
  }
}
