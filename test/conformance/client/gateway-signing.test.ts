import { everythingSigned, inFull } from '../_message-signing.js'
import { startGateway } from './_gateway.js'
import { beyondTheSignedClientPlan, clientTestPlan, signedClientTestPlan } from './_modules.js'
import { clientPlan } from './_plan.js'

/* `fapi2-message-signing-final-client-test-plan`. Each part alone differs from both together in little. */
const algorithms = { clientAlgorithm: 'ES256', serverAlgorithm: 'ES256' } as const
const gateway = { start: startGateway, ...algorithms }
clientPlan({ ...gateway, variant: 'oidc', signing: everythingSigned })
clientPlan({ ...gateway, variant: 'plain_oauth', signing: everythingSigned })
clientPlan({ ...gateway, variant: 'plain_oauth', signing: everythingSigned, modules: beyondTheSignedClientPlan })

const happyPath = clientTestPlan.filter(({ name }) => name === 'happy-path')
const ofJarm = signedClientTestPlan.filter(({ name }) => name.includes('jarm'))
for (const [signing, own] of [
  [{ requests: 'signed_non_repudiation', responses: 'plain_response' }, happyPath],
  [{ requests: 'unsigned', responses: 'jarm' }, [...happyPath, ...ofJarm]],
] as const) {
  clientPlan({ ...gateway, variant: 'oidc', signing, ...(!inFull && { modules: happyPath }) })
  clientPlan({ ...gateway, variant: 'plain_oauth', signing, ...(!inFull && { modules: own }) })
}
for (const algorithm of ['PS256', 'EdDSA'] as const)
  clientPlan({
    start: startGateway,
    variant: 'oidc',
    clientAlgorithm: algorithm,
    serverAlgorithm: algorithm,
    signing: everythingSigned,
    ...(!inFull && { modules: happyPath }),
  })
