import { hkdfSync } from 'node:crypto'
import type { Plan } from '../resolve/resolved.js'

/** How much a record says of a person: see `createAudit`. */
type Disclosure = 'full' | 'masked' | 'hashed'

/** What `createAudit` is made with, and whether records are lines of the log. */
export interface AuditSettings {
  readonly log: boolean
  /** Absolute. */
  readonly file: string | undefined
  readonly endpoint: { readonly url: URL; readonly token: string | undefined } | undefined
  readonly subject: Disclosure
  readonly address: Disclosure
  readonly hashKey: string | Uint8Array
}

/** @param sealingKey Hashes are made with a key that is derived from it, where they have none of their own. */
export function auditSettings({ settings, audit }: Plan, sealingKey: Buffer): AuditSettings | undefined {
  const { Audit } = settings.Server
  if (Audit === undefined || audit === undefined) return undefined
  const { log, file, endpoint, hashKey } = audit
  return {
    log,
    file,
    endpoint: endpoint?.url === undefined ? undefined : { url: new URL(endpoint.url), token: endpoint.token },
    subject: disclosures[Audit.Subject],
    address: disclosures[Audit.Address],
    hashKey: hashKey ?? new Uint8Array(hkdfSync('sha256', sealingKey, '', 'sallyport audit', 32)),
  }
}

const disclosures = { Full: 'full', Masked: 'masked', Hashed: 'hashed' } as const
