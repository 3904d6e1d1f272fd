import { apiAttacks } from './api-attacks.js'
import type { Attack } from './attack.js'
import { gatewayAttacks } from './gateway-attacks.js'
import { serverAttacks } from './server-attacks.js'

export const attacks: readonly Attack[] = [...apiAttacks, ...gatewayAttacks, ...serverAttacks]
