import { compileSchema } from '../../http/json-schema.js'
import type { FrontendOptions } from '../options.js'
import { mayBeOfUser } from '../tokens/token-audience.js'
import { type MemberProblem, wrong } from './member-problem.js'

/** What a login cannot ask for by `authorization_details`. */
export function* detailProblems({
  authorizationDetails = [],
  loginDetailTypes = [],
  loginParameters = [],
  routes,
}: FrontendOptions): Generator<MemberProblem> {
  for (const [index, { authorizationDetails: ofRoute, tokenType, tokenExchange }] of routes.entries()) {
    if (ofRoute === undefined) continue
    const at = `routes/${index}/authorizationDetails`
    if (!mayBeOfUser(tokenType))
      yield wrong(at, `is about what a user allows, and TokenType is "${tokenType}"`, 'Leave it out.')
    if (tokenExchange !== undefined) yield wrong(at, 'goes not with an exchanged token', 'Keep one of the two.')
    if (loginDetailTypes.length > 0)
      yield wrong(
        at,
        'splits among routes what a login was for, and links can add to it: to the token of no route in particular',
        'Keep one of the two, or make two frontends.',
      )
  }
  for (const [index, { type }] of authorizationDetails.entries())
    if (typeof type !== 'string' || type === '')
      yield wrong(`authorizationDetails/${index}/type`, 'is missing', 'Write the type that the server knows it by.')
  if (JSON.stringify(authorizationDetails).length > 8192)
    yield wrong('authorizationDetails', 'is longer than 8192 characters as JSON', 'Ask for less.')
  const fromLinks = loginParameters.includes('authorization_details')
  if (fromLinks && loginDetailTypes.length === 0)
    yield wrong(
      `loginParameters/${loginParameters.indexOf('authorization_details')}`,
      'lets a link ask for authorization_details, and nothing says which',
      'Add loginDetailTypes, each a type with the JSON Schema of what a link may ask for.',
    )
  if (!fromLinks && loginDetailTypes.length > 0)
    yield wrong(
      'loginDetailTypes',
      'is about authorization_details of a link, which loginParameters does not have',
      'Add "authorization_details" to the parameters of a login link, or leave it out.',
    )
  for (const [index, { type, schema }] of loginDetailTypes.entries()) {
    if (type === '' || loginDetailTypes.findIndex((other) => other.type === type) < index)
      yield wrong(`loginDetailTypes/${index}/type`, 'is empty, or comes twice', 'Give each its own.')
    try {
      compileSchema(schema)
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'is no JSON Schema'
      yield wrong(`loginDetailTypes/${index}/schema`, problem, 'Write a JSON Schema of the draft 2020-12.')
    }
  }
}
