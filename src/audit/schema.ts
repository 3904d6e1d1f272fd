import { auditActions } from './actions.js'

const text = (description: string, maxLength = 300) => ({ type: 'string', maxLength, description })

/** What every audit record fits. Members may be added; none is taken away or changes its meaning. */
export const auditSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Sallyport audit record',
  type: 'object',
  required: ['id', 'time', 'action', 'outcome'],
  properties: {
    id: { type: 'string', format: 'uuid', description: 'Unique: a record that is received twice has the same.' },
    time: { type: 'string', format: 'date-time', description: 'RFC 3339, UTC.' },
    action: { enum: Object.keys(auditActions) },
    outcome: { enum: ['success', 'failure'] },
    code: text('Why, in a word that does not change: a code of docs/errors.md or of OAuth, or how a session ended.'),
    subject: text('The user, as the authorization server calls them. Perhaps masked or hashed.'),
    client: text('client_id at the embedded authorization server.'),
    frontend: text('Name of the frontend.'),
    session: text("Handle of the session, as in the user's own list."),
    address: text('Of the browser or the client. Perhaps masked or hashed.'),
    userAgent: text('As the browser says it.'),
    requestId: text('As in the log, in the answer and at the API.'),
    traceId: text('Where there are traces.'),
    details: {
      type: 'object',
      description: 'What else is known; its members depend on the action.',
      additionalProperties: {
        anyOf: [{ type: ['string', 'number', 'boolean'] }, { type: 'array', items: { type: 'string' } }],
      },
    },
  },
  oneOf: Object.entries(auditActions).map(([action, { outcome, meaning }]) => ({
    description: meaning,
    properties: { action: { const: action }, outcome: { const: outcome } },
  })),
} as const
