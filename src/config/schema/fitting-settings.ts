import type { Sliced } from '../../slices.js'
import { type FrontendSettings, frontend } from './bff.js'
import { missingMembers } from './missing-members.js'
import { jsonSchema, type Settings, settingsSchema } from './schema.js'
import { schemaAt } from './schema-walk.js'

/**
 * The settings where all of them fit the schema, looked at one frontend after the other: there may be a thousand. Undefined where
 * something does not: who looks at the whole can say what.
 */
export function* fittingSettings(value: unknown): Sliced<Settings | undefined> {
  const bff = member(value, 'Bff')
  const entries = member(bff, 'Frontends')
  if (!Array.isArray(entries)) return undefined
  const frontends: FrontendSettings[] = []
  const place = ['Bff', 'Frontends', 0]
  const schema = schemaAt(jsonSchema, place)
  for (const entry of entries) {
    const { data, success } = frontend.safeParse(structuredClone(entry))
    if (!success || !missingMembers(data, schema, place).next().done) return undefined
    frontends.push(data)
    yield
  }
  const others = { ...(value as object), Bff: { ...(bff as object), Frontends: [] } }
  const { data, success } = settingsSchema.safeParse(structuredClone(others))
  if (!success || data.Bff === undefined || !missingMembers(data, jsonSchema, []).next().done) return undefined
  return { ...data, Bff: { ...data.Bff, Frontends: frontends } }
}

function member(holder: unknown, name: string): unknown {
  return typeof holder === 'object' && holder !== null ? (holder as Record<string, unknown>)[name] : undefined
}
