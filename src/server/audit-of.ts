import type { Audit, AuditRecord } from '../audit/audit.js'
import type { Configuration } from '../config/load.js'

/** The audit that a configuration asks for. Without one, nothing of it is loaded. */
export async function auditOf(
  { server: { audit } }: Configuration,
  log: (record: AuditRecord) => void,
): Promise<Audit | undefined> {
  if (audit === undefined) return undefined
  const { startAudit } = await import('./audit.js')
  return startAudit(audit, log)
}
