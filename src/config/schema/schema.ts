import { z } from 'zod'
import { authorizationServer } from './authorization-server.js'
import { bff } from './bff.js'
import { resourceServer } from './resource-server.js'
import { server } from './server.js'
import { store } from './store.js'

/**
 * What the file may say. Only its shape: what has to be there and what contradicts what is `rules/`, so that one mistake
 * never hides another.
 */
export const settingsSchema = z
  .strictObject({
    $schema: z
      .string()
      .optional()
      .meta({ description: 'For editors.', examples: ['./frontends.schema.json'] }),
    Server: server.prefault({}),
    Store: store.prefault({}),
    Bff: bff.optional(),
    OpenIddict: authorizationServer.optional(),
    AuthorizationServer: authorizationServer.optional().meta({ description: 'Another name for `OpenIddict`.' }),
    Authentication: resourceServer.optional(),
  })
  .meta({ title: 'Sallyport configuration' })

export type Settings = z.output<typeof settingsSchema>

/** The part of JSON Schema that ours uses. */
export interface JsonSchema {
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly enum?: readonly unknown[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
}

/** The same as a JSON Schema: for editors, for the reference in the documentation, and for telling what fits where. */
export const jsonSchema = z.toJSONSchema(settingsSchema, { io: 'input' }) as JsonSchema
