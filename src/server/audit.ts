import { type Audit, type AuditRecord, createAudit } from '../audit/audit.js'
import type { AuditSettings } from '../config/options/audit-options.js'
import { ConfigurationError } from '../errors.js'

/**
 * Writes audit records as the configuration says.
 * @param log writes a record between the lines of the log
 * @throws ConfigurationError when the file cannot be opened
 */
export function startAudit(
  { log: isLogged, file, endpoint, ...disclosure }: AuditSettings,
  log: (record: AuditRecord) => void,
): Audit {
  try {
    return createAudit({
      ...disclosure,
      ...(isLogged && { onRecord: log }),
      ...(file !== undefined && { file }),
      ...(endpoint !== undefined && { endpoint }),
    })
  } catch (cause) {
    const { code = 'unknown' } = cause as NodeJS.ErrnoException
    throw new ConfigurationError(
      [
        {
          pointer: '/Server/Audit/File',
          problem: `names ${file}, which cannot be written to (${code})`,
          remedy: 'Let the user that runs sallyport write there, or name another file.',
        },
      ],
      { cause },
    )
  }
}
