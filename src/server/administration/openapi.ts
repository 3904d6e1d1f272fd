import { type ApiOperation, operations } from './api-operations.js'
import { type SchemaName, schemas } from './api-schemas.js'

/** The admin API as OpenAPI 3.1, of the same table that it is served by. */
export function openApiDocument(version: string) {
  const { Document: _, ...described } = schemas
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    paths[operation.path] ??= {}
    Object.assign(paths[operation.path] ?? {}, { [operation.method.toLowerCase()]: operationObject(operation) })
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sallyport administration',
      version,
      description: 'Served on `Server.AdminListen` where `Server.AdminToken` is set.',
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: described,
    },
  }
}

function operationObject({ summary, query, path, body, answer }: ApiOperation): object {
  return {
    summary,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) =>
        parameter(name ?? '', 'path', 'As the list of sessions has it.'),
      ),
      ...query.map(({ name, description }) => parameter(name, 'query', description)),
    ],
    ...(body && { requestBody: { required: true, content: content('application/json', body) } }),
    responses: {
      ...(answer === undefined
        ? { 204: { description: 'Done.' } }
        : { 200: { description: 'Done.', content: content('application/json', answer) } }),
      default: { description: 'Refused.', content: content('application/problem+json', 'Problem') },
    },
  }
}

function parameter(name: string, place: 'path' | 'query', description: string): object {
  return { name, in: place, ...(place === 'path' && { required: true }), description, schema: { type: 'string' } }
}

function content(type: string, schema: SchemaName): object {
  return { [type]: { schema: { $ref: `#/components/schemas/${schema}` } } }
}
