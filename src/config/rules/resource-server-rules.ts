import { parsePermissions } from '../../authorization-server/client/permissions.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { seconds } from '../duration.js'
import { problem, type Rule } from './rule.js'

export const resourceServerRules: readonly Rule[] = [
  function* issuerIsKnown({ sampleApi }) {
    if (sampleApi === undefined) return
    const pointer = '/Authentication/OpenIddict/Issuer'
    if (sampleApi.issuer === undefined)
      yield problem(
        pointer,
        'is missing, and there is no embedded authorization server in this file',
        'Write the issuer identifier of the authorization server whose tokens are accepted.',
      )
    const url = sampleApi.issuer === undefined ? undefined : new URL(sampleApi.issuer)
    if (url !== undefined && !isSecureUrl(url))
      yield problem(pointer, 'is plain http', `Write "https://${url.host}". http is for localhost only.`)
  },

  function* issuerIsTheEmbeddedOne({ sampleApi, authorizationServer, frontends }) {
    const issuer = authorizationServer?.settings.Issuer
    if (sampleApi?.issuer === undefined || issuer === undefined || sampleApi.issuer === issuer) return
    if (frontends.every(({ isEmbedded }) => isEmbedded))
      yield problem(
        '/Authentication/OpenIddict/Issuer',
        `is not ${issuer}, which every frontend here gets its tokens from`,
        'Leave it out, or write the same issuer, character by character.',
      )
  },

  function* nameIsKnown({ sampleApi }) {
    const pointer = '/Authentication/OpenIddict/PublicUrl'
    for (const { origin, pathname, search, hash } of sampleApi?.publicUrls.map((url) => new URL(url)) ?? [])
      if (search !== '' || hash !== '')
        yield problem(pointer, 'has a query or a fragment', `Write "${origin}${pathname}".`)
    if (sampleApi?.publicUrls.length === 0)
      yield problem(
        pointer,
        `is missing, and Listen (${sampleApi.settings.OpenIddict.Listen}) does not say what the API is called by`,
        'Write the URL that is in Upstreams of the route to it, such as "http://api:3002".',
      )
  },

  function* tokensAreForIt({ sampleApi, authorizationServer: server }) {
    const issuer = server?.settings.Issuer
    if (server === undefined || sampleApi?.audience === undefined || sampleApi.issuer !== issuer) return
    const ofScopes = server.settings.Seeding.Scopes.flatMap(({ Resources }) => Resources)
    const ofClients = server.applications.flatMap(
      ({ permissions }) => parsePermissions(permissions).permissions.resources,
    )
    if (![server.audience, ...ofScopes, ...ofClients].includes(sampleApi.audience))
      yield problem(
        '/Authentication/OpenIddict/Audience',
        `is in no access token: ${server.pointer}/Audience is "${server.audience}", and neither a scope nor a client has it among its resources`,
        `Write it into ${server.pointer}/Audience, or among the Resources of a scope.`,
      )
  },

  function* clocksMayDiffer({ sampleApi }) {
    if (sampleApi === undefined) return
    const { ClockSkew, MaxProofLifetime } = sampleApi.settings.DPoP
    if (seconds(ClockSkew) < 10 || seconds(ClockSkew) > 60)
      yield problem(
        '/Authentication/DPoP/ClockSkew',
        'is not between 10 and 60 seconds (FAPI 2.0 §5.3.2.1-13)',
        'Write it as in "00:00:10".',
      )
    if (seconds(MaxProofLifetime) < 5 || seconds(MaxProofLifetime) > 600)
      yield problem(
        '/Authentication/DPoP/MaxProofLifetime',
        'is not between 5 seconds and ten minutes',
        'Write it as in "00:01:00".',
      )
  },
]
