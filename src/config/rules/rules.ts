import { authorizationServerRules } from './authorization-server-rules.js'
import { bffRules } from './bff-rules.js'
import { resourceServerRules } from './resource-server-rules.js'
import type { Rule } from './rule.js'
import { serverRules } from './server-rules.js'

/** Everything that has to hold between settings. */
export const rules: readonly Rule[] = [...serverRules, ...bffRules, ...authorizationServerRules, ...resourceServerRules]
