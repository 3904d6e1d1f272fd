import { startOpenidClient } from './_openid-client.js'
import { clientPlan } from './_plan.js'

clientPlan({ start: startOpenidClient, variant: 'oidc' })
clientPlan({ start: startOpenidClient, variant: 'plain_oauth' })
