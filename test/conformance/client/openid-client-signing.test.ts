import { everythingSigned } from '../_message-signing.js'
import { startOpenidClient } from './_openid-client.js'
import { clientPlan } from './_plan.js'

const algorithms = { clientAlgorithm: 'ES256', serverAlgorithm: 'ES256' } as const
clientPlan({ start: startOpenidClient, variant: 'oidc', ...algorithms, signing: everythingSigned })
clientPlan({ start: startOpenidClient, variant: 'plain_oauth', ...algorithms, signing: everythingSigned })
