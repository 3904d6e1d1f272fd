import { type JsonSchema, jsonSchema } from './schema.js'

interface Row {
  readonly name: string
  readonly type: string
  readonly fallback: string
  readonly description: string
}

/** The reference part of `docs/configuration.md`: one table per section, made from the schema. */
export function configurationReference(): string {
  return [...sections('', jsonSchema)].join('\n')
}

function* sections(path: string, schema: JsonSchema): Generator<string> {
  const { properties = {}, required = [], description } = schema
  const members = Object.entries(properties).filter(([name]) => name !== '$schema' && name !== 'AuthorizationServer')
  const rows = members
    .filter(([, member]) => nested(member) === undefined)
    .map(([name, member]) => row(name, member, required))
  if (path !== '') {
    yield `### \`${path}\`\n`
    if (description !== undefined) yield `${description}\n`
  }
  if (rows.length > 0) {
    yield '| setting | type | default | what it does |\n|---|---|---|---|'
    for (const { name, type, fallback, description: text } of rows)
      yield `| \`${name}\` | ${type} | ${fallback} | ${text} |`
    yield ''
  }
  for (const [name, member] of members) {
    const below = nested(member)
    if (below === undefined) continue
    const inner = `${path === '' ? '' : `${path}.`}${name}${member.type === 'array' ? '[]' : ''}`
    yield* sections(inner, { ...below, ...(member.description !== undefined && { description: member.description }) })
  }
}

/** The object that a member is, or is a list of. */
function nested(schema: JsonSchema): JsonSchema | undefined {
  if (schema.properties !== undefined) return schema
  // One, or a list of them.
  if (schema.anyOf?.some(({ items }) => items?.properties !== undefined))
    return schema.anyOf.find(({ properties }) => properties !== undefined)
  return schema.items?.properties === undefined ? undefined : schema.items
}

function row(name: string, schema: JsonSchema, required: readonly string[]): Row {
  const { default: fallback, description = '' } = schema
  const stated = fallback === undefined ? '' : code(fallback)
  return {
    name,
    type: typeOf(schema),
    fallback: required.includes(name) ? '**required**' : stated,
    description: description.replaceAll('|', '\\|'),
  }
}

function typeOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map(code).join(' ')
  if (schema.anyOf?.some(({ properties = {} }) => 'kty' in properties)) return 'JWK'
  if (schema.anyOf?.some(({ properties = {} }) => 'Env' in properties)) return 'secret'
  if (schema.anyOf !== undefined)
    return [...new Set(schema.anyOf.filter(({ type }) => type !== 'null').map(typeOf))].join(' or ')
  if (schema.type === 'array') return `list of ${schema.items === undefined ? 'anything' : typeOf(schema.items)}`
  if (schema.type === 'string') return kindOfText(schema)
  return schema.type ?? 'anything'
}

function kindOfText({ format, examples: [example] = [] }: JsonSchema): string {
  if (format === 'uri') return 'URL'
  return typeof example === 'string' && /^(?:\d+\.)?\d\d:\d\d:\d\d$/.test(example) ? 'duration' : 'text'
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``
}
