import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { endpointConnections, postRecords, type RecordsEndpoint } from '../../audit/post-records.js'
import type { Configuration } from '../../config/load.js'
import { adviceFor, failed, noted, passed, reasonOf, type Trial } from './probe.js'

/** Whether audit records will arrive. The endpoint gets a batch without a record; the file is not made. */
export async function tryAudit({ server: { audit } }: Configuration): Promise<readonly Trial[]> {
  if (audit === undefined) return []
  return [
    ...(audit.file === undefined ? [] : [tryFile(audit.file)]),
    ...(audit.endpoint === undefined ? [] : [await tryEndpoint(audit.endpoint)]),
  ]
}

function tryFile(file: string): Trial {
  const subject = 'audit: file'
  try {
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK)
    return passed(subject, `${file} can be written to`)
  } catch {
    return failed(subject, `${file} cannot be written to`, 'Let the user that runs sallyport write there.')
  }
}

/** Seconds for a connection, and twice as many for the answer. */
const timeout = 5

async function tryEndpoint({ url, token }: RecordsEndpoint): Promise<Trial> {
  const subject = 'audit: endpoint'
  const dispatcher = endpointConnections(timeout)
  try {
    const statusCode = await postRecords({ url, token }, '', {
      dispatcher,
      signal: AbortSignal.timeout(2 * timeout * 1000),
    })
    if (statusCode === 401 || statusCode === 403)
      return failed(
        subject,
        `${url.origin} answers ${statusCode}`,
        'Compare Server.Audit.Endpoint.Token with what it asks for.',
      )
    if (statusCode === 404 || statusCode === 405 || (statusCode >= 300 && statusCode < 400))
      return failed(
        subject,
        `${url.origin} answers ${statusCode} at ${url.pathname}`,
        'Is Url where records are posted?',
      )
    if (statusCode >= 500)
      return failed(subject, `${url.origin} answers ${statusCode}`, 'Look into the log of that server.')
    if (statusCode >= 400) return noted(subject, `${url.origin} answers ${statusCode} to an empty batch`)
    return passed(subject, `${url.origin} takes records`)
  } catch (error) {
    const remedy = adviceFor(error, { certificates: 'the variable NODE_EXTRA_CA_CERTS' })
    return failed(subject, `${url.origin} cannot be reached: ${reasonOf(error)}`, remedy)
  } finally {
    await dispatcher.destroy()
  }
}
