import { withMutualTls } from '../_client-security.js'
import { everythingSigned, inFull } from '../_message-signing.js'
import { startGateway } from './_gateway.js'
import { clientTestPlan } from './_modules.js'
import { clientPlan } from './_plan.js'

/* The plans in which the client authenticates, or has its tokens bound, by mutual TLS. In full they differ in little. */
const happyPaths = clientTestPlan.filter(({ name }) => /^(?:happy-path|token-type-case-insensitivity)$/.test(name))

for (const security of withMutualTls) {
  const all = { start: startGateway, clientAlgorithm: 'ES256', serverAlgorithm: 'ES256', security } as const
  const some = inFull ? {} : { modules: happyPaths }
  for (const signing of [undefined, everythingSigned])
    for (const variant of inFull ? (['oidc', 'plain_oauth'] as const) : (['oidc'] as const))
      clientPlan({ ...all, ...(signing && { signing }), variant, ...some })
}
