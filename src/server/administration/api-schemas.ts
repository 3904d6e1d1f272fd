/** What the admin API answers, as JSON Schema (2020-12, as OpenAPI 3.1 has it). */

const text = { type: 'string' } as const
const time = { type: 'string', format: 'date-time' } as const
const count = { type: 'integer', minimum: 0 } as const
const texts = { type: 'array', items: text } as const

export function object<Properties extends object>(
  properties: Properties,
  optional: readonly (keyof Properties)[] = [],
) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name as keyof Properties))
  return { type: 'object', required, properties, additionalProperties: false } as const
}

const session = object(
  {
    handle: text,
    frontend: text,
    authority: text,
    subject: text,
    begunAt: time,
    lastUsedAt: time,
    address: text,
    userAgent: text,
  },
  ['authority', 'subject', 'begunAt', 'lastUsedAt', 'address', 'userAgent'],
)
const secondsUntilAnswer = { type: 'number', minimum: 0 } as const
const upstream = object(
  {
    frontend: text,
    route: text,
    url: text,
    state: { enum: ['well', 'unhealthy', 'open', 'half-open'] },
    inFlight: count,
    answers: {
      ...object({ calls: count, mean: secondsUntilAnswer, p95: secondsUntilAnswer }),
      description: 'Seconds until its answers began, of the last five minutes. Absent: there were none.',
    },
  },
  ['answers'],
)
const route = object({
  path: text,
  methods: texts,
  tokenType: { enum: ['User', 'UserOrNone', 'UserOrClient', 'Client', 'None'] },
  session: { enum: ['required', 'optional', 'none'] },
  scopes: texts,
  upstreams: texts,
})
const authority = object({ name: text, displayName: text, authority: text, clientId: text })
const frontend = object({
  name: text,
  url: text,
  authority: text,
  clientId: text,
  authorities: { type: 'array', items: authority },
  inFlight: count,
  routes: { type: 'array', items: route },
})
const signingKey = object({
  kid: text,
  algorithm: text,
  status: { enum: ['next', 'signing', 'retired'] },
  signsFrom: time,
  ageSeconds: { type: 'integer' },
})
const clientKeys = object({ frontend: text, clientId: text, kids: texts })
const assertionKeys = object({ frontend: text, kids: texts })
const refusal = object(
  {
    at: time,
    event: text,
    code: text,
    requestId: text,
    frontend: text,
    route: text,
    reason: text,
    serverSaid: text,
    remedy: text,
  },
  ['requestId', 'frontend', 'route', 'reason', 'serverSaid', 'remedy'],
)

export const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const

export const schemas = {
  Sessions: object({ sessions: { type: 'array', items: session }, next: text }, ['next']),
  Ended: object({ ended: count }),
  Frontends: object({ frontends: { type: 'array', items: frontend } }),
  Upstreams: object({ inFlight: count, upstreams: { type: 'array', items: upstream } }),
  Keys: object({
    signingKeys: { type: 'array', items: signingKey },
    sealingKeys: count,
    clientKeys: { type: 'array', items: clientKeys },
    assertionKeys: { type: 'array', items: assertionKeys },
  }),
  Configuration: object(
    {
      generation: count,
      takenOverAt: time,
      changes: object({ added: texts, changed: texts, removed: texts }),
      needsRestart: texts,
      refused: object({ at: time, problems: texts }),
    },
    ['changes', 'refused'],
  ),
  Refusals: object({ refusals: { type: 'array', items: refusal } }),
  LogLevel: object({ level: { enum: levels }, until: time }, ['until']),
  LogLevelChange: object({ level: { enum: levels }, for: { type: 'string', examples: ['00:10:00'] } }, ['for']),
  Problem: {
    ...object({ type: text, title: text, status: count, detail: text, code: text, requestId: text }),
    additionalProperties: true,
  },
  Document: { type: 'object' },
} as const

export type SchemaName = keyof typeof schemas
