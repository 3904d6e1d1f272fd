import { ProtocolError } from '../../errors.js'
import { mayHaveScope } from '../client/permissions.js'
import type { AuthorizationDetail } from '../options.js'
import type { UserDirectory } from '../sign-in/users.js'
import type { AccessTokens } from '../tokens/access-token.js'
import type { AuthorizationDetails } from '../tokens/authorization-details.js'
import { isSameConfirmation } from '../tokens/confirmation.js'
import type { Resources } from '../tokens/resources.js'
import { requestedScopes } from './pushed-authorization-request.js'
import type { Issue, TokenRequest } from './token-issue.js'

/** RFC 8693 §3. There is no other kind of token here. */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

export interface TokenExchangeOptions {
  readonly accessTokens: AccessTokens
  readonly resources: Resources
  readonly authorizationDetails: AuthorizationDetails
  readonly users: UserDirectory
}

/**
 * A token for another audience, for one of ours that the same client has, bound to the same key or certificate: it never
 * outlives the one it was given for, and never has a scope that that one does not have.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2 RFC 8693 §2}
 */
export async function exchangeToken(
  { accessTokens, resources, authorizationDetails, users }: TokenExchangeOptions,
  { client, form, confirmation }: TokenRequest,
): Promise<Issue> {
  const given = form.get('subject_token')
  if (given === undefined) refuse('subject_token is required')
  if (form.get('subject_token_type') !== accessTokenType) refuse(`subject_token_type has to be ${accessTokenType}`)
  if ((form.get('requested_token_type') ?? accessTokenType) !== accessTokenType)
    refuse(`requested_token_type has to be ${accessTokenType}`)
  if (form.has('actor_token') || form.has('actor_token_type')) refuse('delegation (actor_token) is not supported')
  const subject = await accessTokens.find(given)
  if (subject === undefined) refuse('the subject token is not alive, or not of this server')
  const { grantId, grant } = subject
  if (grant.clientId !== client.clientId) refuse('the subject token was issued to another client')
  if (!isSameConfirmation(subject.confirmation, confirmation))
    refuse('the subject token is bound to another key or certificate')
  const claims = grant.user && (await users.find(grant.user))
  if (grant.user !== undefined && claims === undefined) refuse('the user is not known any more')
  // A permission that was taken away since is missing, as with a refresh.
  const held = subject.scopes.filter((name) => mayHaveScope(client.permissions, name))
  const scopes = form.has('scope') ? requestedScopes(form.get('scope'), client) : held
  if (!scopes.every((name) => held.includes(name)))
    throw new ProtocolError('invalid_scope', 'the subject token does not have one of the scopes')
  const audience = resources.audience({
    parameter: form.get('resource'),
    names: form.get('audience'),
    target: grant.target,
    scopes,
    client,
  })
  // Of ours, and signed: as it was allowed.
  const details = (subject.claims.authorization_details ?? []) as readonly AuthorizationDetail[]
  return {
    grantId,
    grant: grant.user && claims ? { ...grant, user: { ...grant.user, claims } } : grant,
    scopes,
    audience,
    authorizationDetails: authorizationDetails.assigned(form.get('authorization_details'), details),
    notAfter: Number(subject.claims.exp),
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2 RFC 8693 §2.2.2} */
function refuse(message: string): never {
  throw new ProtocolError('invalid_request', message)
}
