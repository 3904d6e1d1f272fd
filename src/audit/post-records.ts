import { Agent, request } from 'undici'
import { sharedLookup } from '../http/shared-lookup.js'
import { tlsPreset } from '../http/tls.js'

export interface RecordsEndpoint {
  /** https, or http on loopback. Records are posted there: one JSON document a line, `application/x-ndjson`. */
  readonly url: URL
  /** Sent as `Authorization: Bearer`. Default: none. */
  readonly token?: string | undefined
}

/** Connections to an endpoint that takes records. @param timeout seconds until one stands */
export function endpointConnections(timeout: number): Agent {
  return new Agent({
    connect: { ...tlsPreset, lookup: sharedLookup, timeout: timeout * 1000 },
    maxResponseSize: 1_000_000,
  })
}

/**
 * Posts records, a JSON document a line: those that there are, or none, as `check` does to try the endpoint.
 * @returns the status of the answer
 */
export async function postRecords(
  { url, token }: RecordsEndpoint,
  records: string,
  { dispatcher, signal }: { readonly dispatcher: Agent; readonly signal: AbortSignal },
): Promise<number> {
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-ndjson',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: records,
    dispatcher,
    signal,
  })
  await body.dump()
  return statusCode
}
