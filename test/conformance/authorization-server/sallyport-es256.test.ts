import { plan } from './_plan.js'
import { startDemandingNonces } from './_sallyport.js'

plan({ start: startDemandingNonces, variant: 'openid_connect', algorithm: 'ES256' })
plan({ start: startDemandingNonces, variant: 'plain_oauth', algorithm: 'ES256' })
