import { acceptedAlgorithms } from '../../gateway/oauth/accepted-algorithms.js'
import { keysOf } from '../../gateway/oauth/client-authentication.js'
import { spellingsOf } from '../../jose/algorithm.js'
import type { Offer } from './offer.js'
import { list } from './probe.js'

/* Who signs what with which algorithm: client assertions and request objects are ours; ID tokens and answers are the server's. */

export function* theKeyOfTheClientIsTaken({ frontend, listed, client, wrong }: Offer) {
  const authentication = frontend.clientAuthentication
  const [key] = authentication.method === 'private_key_jwt' ? authentication.keys : []
  const taken = listed('token_endpoint_auth_signing_alg_values_supported')
  if (key !== undefined && taken !== undefined && !spellingsOf(key.algorithm).some((name) => taken.includes(name)))
    yield wrong(
      `it takes client assertions with ${list(taken)}, and the key of ${client} is for ${key.algorithm}`,
      `Make a key for one of those: \`npx --no-install sallyport keygen --alg ${taken.includes('PS256') ? 'PS256' : 'ES256'}\`.`,
    )
}

export function* requestsAreSignedAsItTakesThem({ metadata, frontend, listed, client, wrong }: Offer) {
  if (frontend.signedRequests !== true) {
    if (metadata.require_signed_request_object === true)
      yield wrong(
        'it wants signed request objects (RFC 9101)',
        `Write "UseSignedRequests": true, or do not require them of ${client} there.`,
      )
    return
  }
  if (metadata.request_parameter_supported === false)
    yield wrong(
      'it takes no request objects (request_parameter_supported is false), and UseSignedRequests is true',
      'Switch them on there (JAR, RFC 9101), or leave UseSignedRequests out.',
    )
  const [key] = keysOf(frontend.clientAuthentication)
  const taken = listed('request_object_signing_alg_values_supported')
  if (key !== undefined && taken !== undefined && !spellingsOf(key.algorithm).some((name) => taken.includes(name)))
    yield wrong(
      `it takes request objects with ${list(taken)}, and the key of ${client} is for ${key.algorithm}`,
      `Allow ${key.algorithm} there (request_object_signing_alg), or make a key for one of those.`,
    )
}

export function* idTokensAreSignedByATakenAlgorithm({ frontend, listed, client, wrong, note }: Offer) {
  if (!frontend.scopes.includes('openid')) return
  const accepted = acceptedAlgorithms(frontend)
  const offered = listed('id_token_signing_alg_values_supported') ?? []
  const usable = offered.filter((name) => accepted.includes(name))
  if (offered.length > 0 && usable.length === 0)
    yield wrong(
      `it signs ID tokens with ${list(offered)}, and FAPI 2.0 takes ${accepted.join(', ')}`,
      'Give it a key for ES256 or PS256. With a server that cannot: "Profile": "Baseline", which takes RS256.',
    )
  else if (offered.some((name) => !accepted.includes(name)))
    yield note(
      `it can sign ID tokens with ${list(offered)}, of which ${list(usable)} are taken`,
      `Have it sign those of ${client} with one of these (id_token_signed_response_alg): many servers begin with RS256.`,
    )
}

export function* answersAreSignedAsWeTakeThem({ frontend, listed, client, wrong, note }: Offer) {
  if (frontend.responseMode !== 'jwt') return
  if (listed('response_modes_supported')?.some((mode) => mode === 'jwt' || mode === 'query.jwt') !== true)
    yield wrong(
      'it does not announce signed answers (response_modes_supported without "jwt"), and ResponseMode is "jwt"',
      'Switch JARM on there, or leave ResponseMode out.',
    )
  const accepted = acceptedAlgorithms(frontend)
  const offered = listed('authorization_signing_alg_values_supported') ?? []
  const usable = offered.filter((name) => accepted.includes(name))
  if (offered.length > 0 && usable.length === 0)
    yield wrong(
      `it signs answers with ${list(offered)}, and FAPI 2.0 takes ${accepted.join(', ')}`,
      'Give it a key for ES256 or PS256.',
    )
  else if (usable.length < offered.length || offered.length === 0)
    yield note(
      `it signs answers with ${offered.length === 0 ? 'what it does not say' : list(offered)}, of which ${list(usable.length === 0 ? accepted : usable)} are taken`,
      `Have it sign those of ${client} with one of these (authorization_signed_response_alg): the standard begins with RS256.`,
    )
}
