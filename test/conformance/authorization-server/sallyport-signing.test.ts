import { everythingSigned, inFull } from '../_message-signing.js'
import { plan } from './_plan.js'
import { startSallyport } from './_sallyport.js'
import { discovery } from './modules/discovery.js'
import { flow } from './modules/flow.js'
import { signedRequest } from './modules/signed-request.js'

/* `fapi2-message-signing-final-test-plan`. Each part alone differs from both together in little: here its own modules. */
plan({ start: startSallyport, variant: 'openid_connect', algorithm: 'ES256', signing: everythingSigned })

const own = [...discovery, ...flow.filter(({ name }) => /^(?:happy-flow|user-rejects)/.test(name))]
const ofRequests = inFull ? {} : { modules: [...own, ...signedRequest] }
const ofResponses = inFull ? {} : { modules: own }
plan({
  start: startSallyport,
  variant: 'plain_oauth',
  algorithm: 'ES256',
  signing: { requests: 'signed_non_repudiation', responses: 'plain_response' },
  ...ofRequests,
})
plan({
  start: startSallyport,
  variant: 'plain_oauth',
  algorithm: 'ES256',
  signing: { requests: 'unsigned', responses: 'jarm' },
  ...ofResponses,
})
if (inFull) {
  for (const algorithm of ['PS256', 'EdDSA'] as const) {
    plan({ start: startSallyport, variant: 'openid_connect', algorithm, signing: everythingSigned })
    plan({ start: startSallyport, variant: 'plain_oauth', algorithm, signing: everythingSigned })
  }
} else
  plan({
    start: startSallyport,
    variant: 'openid_connect',
    algorithm: 'PS256',
    signing: everythingSigned,
    modules: signedRequest.filter(({ name }) => name.includes('RS256')),
  })
