import { resolve } from 'node:path'
import type { Settings } from '../schema/schema.js'
import type { SecretReader } from './secrets.js'

/** Where audit records go, with its secrets. */
export interface AuditPlan {
  readonly log: boolean
  /** Absolute. */
  readonly file: string | undefined
  readonly endpoint: { readonly url: string | undefined; readonly token: string | undefined } | undefined
  /** Undefined: it is made from the sealing keys. */
  readonly hashKey: string | undefined
}

export function auditOf(
  { Server: { Audit } }: Settings,
  directory: string,
  secrets: SecretReader,
): AuditPlan | undefined {
  if (Audit === undefined) return undefined
  const { Log = Audit.File === undefined && Audit.Endpoint === undefined, File, Endpoint, HashKey } = Audit
  return {
    log: Log,
    file: File === undefined ? undefined : resolve(directory, File),
    endpoint: Endpoint && {
      url: Endpoint.Url,
      token: secrets.text(Endpoint.Token, '/Server/Audit/Endpoint/Token'),
    },
    hashKey: secrets.text(HashKey, '/Server/Audit/HashKey'),
  }
}
