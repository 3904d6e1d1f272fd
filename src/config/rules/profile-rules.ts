import { isSecretMethod } from '../schema/client-authentication.js'
import { problem, type Rule } from './rule.js'

const baseline = 'or set "Profile": "Baseline" in "Bff" and give up what FAPI 2.0 protects from.'

export const profileRules: readonly Rule[] = [
  function* theProfileHolds({ bff, frontends, clients }) {
    if (bff === undefined || bff.Profile === 'Baseline') return
    if (!bff.RequireIssuerValidation)
      yield problem(
        '/Bff/RequireIssuerValidation',
        'is false, which FAPI 2.0 does not allow (RFC 9207: mix-up attacks)',
        `Leave it out, ${baseline}`,
      )
    for (const { pointer, settings } of frontends) {
      if (!settings.UsePushedAuthorizationRequests)
        yield problem(
          `${pointer}/UsePushedAuthorizationRequests`,
          'is false, which FAPI 2.0 does not allow (RFC 9126)',
          `Leave it out, ${baseline}`,
        )
      if (!settings.UseDPoP && settings.SenderConstraint !== 'Mtls')
        yield problem(
          `${pointer}/UseDPoP`,
          'is false, which FAPI 2.0 does not allow (RFC 9449: tokens have to be bound to a key)',
          `Leave it out, ${baseline}`,
        )
    }
    for (const { pointer, settings } of clients)
      if (isSecretMethod(settings.ClientAuthenticationMethod))
        yield problem(
          `${pointer}/ClientAuthenticationMethod`,
          `is "${settings.ClientAuthenticationMethod}", which FAPI 2.0 does not allow`,
          `Write "PrivateKeyJwt" and give a ClientSigningKeyJwk, ${baseline}`,
        )
  },

  function* pushedRequestsDoNotFallBack({ frontends }) {
    for (const { pointer, settings } of frontends)
      if (!settings.RequirePushedAuthorizationRequests)
        yield problem(
          `${pointer}/RequirePushedAuthorizationRequests`,
          'is false, and there is no fall-back to plain requests',
          'Leave it out.',
        )
  },

  function* clientsCanAuthenticate({ clients, authorizationServer }) {
    for (const { pointer, settings, clientId, isEmbedded, keys } of clients) {
      const method = settings.ClientAuthenticationMethod
      const byKey = method === 'PrivateKeyJwt'
      const bySecret = isSecretMethod(method)
      // Once it has a name, the embedded server makes it a client, with a key.
      const isNameless = isEmbedded && clientId === undefined
      if (byKey && !isNameless && (settings.ClientSigningKeyJwk ?? undefined) === undefined && keys.length === 0) {
        const registered = authorizationServer?.applications.find((application) => application.clientId === clientId)
        yield problem(
          `${pointer}/ClientSigningKeyJwk`,
          isEmbedded && registered !== undefined
            ? `is missing, although ${registered.pointer}/SigningKeyJwk gives the public half of one`
            : 'is missing, so that this frontend cannot prove who it is',
          isEmbedded && registered !== undefined
            ? 'Give the private key, or leave out both: then a key is made and kept.'
            : 'Make a key with `npx --no-install sallyport keygen` and write {"File": "…"} or {"Env": "…"}.',
        )
      }
      if (!bySecret && typeof settings.ClientSecret === 'string')
        yield problem(
          `${pointer}/ClientSecret`,
          `is not used with "${method}"`,
          'Leave it out: a secret that is not needed can only be stolen. For a server that takes nothing else: "ClientAuthenticationMethod": "ClientSecretPost".',
        )
      if (bySecret && (settings.ClientSecret ?? '') === '')
        yield problem(
          `${pointer}/ClientSecret`,
          `is missing for "${method}"`,
          'Write {"File": "…"} or {"Env": "…"}, or use "PrivateKeyJwt".',
        )
      if (bySecret && isEmbedded)
        yield problem(
          `${pointer}/ClientAuthenticationMethod`,
          `is "${method}", which the embedded authorization server does not take`,
          'Leave it out.',
        )
    }
  },
]
