import { isLoopback } from '../../http/loopback.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { socketAddress } from '../socket-address.js'
import { networkProblems } from './network-problems.js'
import { problem, type Rule } from './rule.js'
import { socketProblems } from './socket-problems.js'

const pointer = '/Server/ForwardAuth'

export const forwardAuthRules: readonly Rule[] = [
  function* onlyOwnProxiesAsk({ settings, directory }) {
    const { ForwardAuth } = settings.Server
    if (ForwardAuth === undefined) return
    yield* networkProblems(`${pointer}/TrustedProxies`, ForwardAuth.TrustedProxies)
    const address = socketAddress(ForwardAuth.Listen, directory)
    yield* socketProblems(`${pointer}/Listen`, address)
    if (address.path === undefined && !isLoopback(address.host) && ForwardAuth.TrustedProxies.length === 0)
      yield problem(
        `${pointer}/Listen`,
        'is open to other machines, and none of them may ask',
        'Write "127.0.0.1:4180" or a Unix socket, or name your proxies in "TrustedProxies".',
      )
  },

  function* thereIsSomethingToAskAbout({ settings, frontends }) {
    const { ForwardAuth } = settings.Server
    if (ForwardAuth !== undefined && ForwardAuth.Validate === undefined && frontends.length === 0)
      yield problem(
        pointer,
        'answers nothing: there are neither frontends nor "Validate"',
        'Write "Validate" with the audience of your API, or leave the section out.',
      )
  },

  function* identityFieldsAreOurs({ settings }) {
    const { ForwardAuth } = settings.Server
    const sections = [
      { at: `${pointer}/IdentityFields`, fields: ForwardAuth?.IdentityFields ?? {} },
      { at: `${pointer}/Validate/IdentityFields`, fields: ForwardAuth?.Validate?.IdentityFields ?? {} },
    ]
    for (const { at, fields } of sections) {
      const seen = new Set<string>()
      for (const name of Object.keys(fields)) {
        const lower = name.toLowerCase()
        // What proxies, nonces and requests are told by is never a user's claim.
        if (!/^x-auth-[a-z0-9]+(?:-[a-z0-9]+)*$/.test(lower))
          yield problem(`${at}/${name}`, 'does not begin with "X-Auth-"', 'Write it as in "X-Auth-Subject".')
        else if (seen.has(lower)) yield problem(`${at}/${name}`, 'is there twice', 'Keep one of the two.')
        seen.add(lower)
      }
    }
  },

  function* validationIsComplete({ settings, authorizationServer }) {
    const validate = settings.Server.ForwardAuth?.Validate
    if (validate === undefined) return
    const at = `${pointer}/Validate`
    const issuer = validate.Issuer ?? authorizationServer?.settings.Issuer
    if (issuer === undefined)
      yield problem(
        `${at}/Issuer`,
        'is missing, and there is no embedded authorization server in this file',
        'Write the issuer identifier of the authorization server whose tokens are accepted.',
      )
    else if (!isSecureUrl(issuer))
      yield problem(`${at}/Issuer`, 'is plain http', 'Write its https URL. http is for localhost only.')
    for (const [index, text] of validate.PublicUrls.entries()) {
      const url = new URL(text)
      if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
        yield problem(`${at}/PublicUrls/${index}`, 'is more than an origin', `Write "${url.origin}".`)
      else if (!isSecureUrl(url))
        yield problem(
          `${at}/PublicUrls/${index}`,
          'is plain http',
          `Write "https://${url.host}". http is for localhost only.`,
        )
    }
  },
]
