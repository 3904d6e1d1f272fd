import { withMutualTls } from '../_client-security.js'
import { everythingSigned, inFull } from '../_message-signing.js'
import { plan } from './_plan.js'
import { startSallyport } from './_sallyport.js'
import { clientAuthentication } from './modules/client-authentication.js'
import { code } from './modules/code.js'
import { discovery } from './modules/discovery.js'
import { flow } from './modules/flow.js'
import { signedRequest } from './modules/signed-request.js'

/* The plans in which clients authenticate, or have their tokens bound, by mutual TLS. In full they differ in little. */
const different = [...discovery, ...flow, ...code, ...clientAuthentication].filter(({ name }) =>
  /^(?:discovery|happy-flow|refresh-token|access-token-type|ensure-holder|ensure-client-id|.*bound-to-client)/.test(
    name,
  ),
)

for (const security of withMutualTls) {
  const all = { start: startSallyport, algorithm: 'ES256', security } as const
  const some = inFull ? {} : { modules: different }
  plan({ ...all, variant: 'openid_connect', ...some })
  if (inFull) plan({ ...all, variant: 'plain_oauth' })
  if (inFull || security.authentication === 'mtls')
    plan({
      ...all,
      variant: 'openid_connect',
      signing: everythingSigned,
      ...(!inFull && { modules: [...discovery, ...signedRequest] }),
    })
  if (inFull) plan({ ...all, variant: 'plain_oauth', signing: everythingSigned })
}
