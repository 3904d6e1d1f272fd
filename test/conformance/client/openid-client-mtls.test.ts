import { withMutualTls } from '../_client-security.js'
import { everythingSigned, inFull } from '../_message-signing.js'
import { clientTestPlan } from './_modules.js'
import { startOpenidClient } from './_openid-client.js'
import { clientPlan } from './_plan.js'

const happyPath = clientTestPlan.filter(({ name }) => name === 'happy-path')
for (const security of withMutualTls) {
  const all = { start: startOpenidClient, clientAlgorithm: 'ES256', serverAlgorithm: 'ES256', security } as const
  for (const signing of [undefined, everythingSigned])
    clientPlan({ ...all, ...(signing && { signing }), variant: 'oidc', ...(!inFull && { modules: happyPath }) })
}
