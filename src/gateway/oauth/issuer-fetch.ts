import { rootCertificates } from 'node:tls'
import { Agent, type Dispatcher, ProxyAgent, fetch as undiciFetch } from 'undici'
import { isNonce } from '../../dpop/nonce.js'
import { connectionCode, UpstreamError } from '../../errors.js'
import { goesDirectly, type HttpProxyOptions } from '../../http/outgoing-proxy.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { sharedLookup } from '../../http/shared-lookup.js'
import { tlsPreset } from '../../http/tls.js'
import { publish } from '../../telemetry/events.js'
import { createOutage, type Outage } from '../../telemetry/outage.js'
import { traceOf } from '../../telemetry/request-traces.js'
import { inSpanOf } from '../../telemetry/spans.js'
import { type Trace, writeTrace } from '../../telemetry/trace.js'
import type { ClientCertificate } from '../options.js'

/** Calls an authorization server. The only way out besides the forwarder's. */
export interface IssuerFetch {
  (url: string, options: IssuerRequest): Promise<Response>
  /** The last DPoP nonce an origin gave us, whichever session's key it was given to. */
  nonceOf(origin: string): string | undefined
  close(): Promise<void>
}

export interface IssuerRequest {
  readonly method?: string
  readonly headers?: Record<string, string> | Headers
  readonly body?: ArrayBuffer | ReadableStream | string | Uint8Array | URLSearchParams | null | undefined
  readonly signal?: AbortSignal | undefined
  /** Of what it is done for: the server's log then has it as well, and its span is in that one's trace. */
  readonly requestId?: string | undefined
}

/** Metadata, key sets and token responses are small. */
const maxResponseSize = 1_048_576

/** How authorization servers are reached. */
export interface IssuerWay {
  /** PEM certificates, besides the system's. */
  readonly ca?: string | undefined
  readonly httpProxy?: HttpProxyOptions | undefined
  /** Shown to a server that asks for one. */
  readonly certificate?: ClientCertificate | undefined
}

/** @param timeout Seconds for the whole call. */
export function createIssuerFetch(timeout: number, way: IssuerWay = {}): IssuerFetch {
  const { dispatcherOf, destroy } = dispatchersOf(timeout, way)
  // One entry per origin that an authorization server's metadata names.
  const nonces = new Map<string, string>()
  const outages = new Map<string, Outage>()

  const outageOf = (issuer: string): Outage => {
    const known = outages.get(issuer)
    if (known !== undefined) return known
    const outage = createOutage({
      onFailing: (cause, count) => publish({ type: 'gateway.issuer.failing', issuer, cause, count }),
      onBack: (seconds, count) => publish({ type: 'gateway.issuer.back', issuer, seconds, count }),
    })
    if (outages.size < 100) outages.set(issuer, outage)
    return outage
  }

  const issuerFetch = (url: string, request: IssuerRequest) =>
    inSpanOf(
      traceOf('gateway', request.requestId),
      'issuer',
      (trace) => call(url, request, trace),
      () => ({ 'http.request.method': request.method ?? 'GET', 'url.full': url.split('?', 1)[0] ?? '' }),
    )

  const call = async (
    url: string,
    { method = 'GET', headers = {}, body, signal, requestId }: IssuerRequest,
    trace: Trace | undefined,
  ) => {
    if (!isSecureUrl(url))
      throw new UpstreamError('invalid_response', 'the authorization server names an endpoint that is not https')
    const target = new URL(url)
    const { origin, pathname } = target
    const outage = outageOf(origin)
    const fields = Object.fromEntries(new Headers(headers))
    if (requestId !== undefined) fields['x-request-id'] = requestId
    writeTrace(fields, trace)
    const started = performance.now()
    const called = (status?: number): void =>
      publish({
        type: 'gateway.issuer.called',
        issuer: origin,
        endpoint: pathname,
        ...(requestId !== undefined && { requestId }),
        ...(status !== undefined && { status }),
        seconds: Math.round((performance.now() - started) * 1000) / 1_000_000,
      })
    const response = await undiciFetch(url, {
      method,
      headers: fields,
      // A stream is never sent from here; undici's own type of it is another one.
      body: body instanceof ReadableStream || body === undefined ? null : body,
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeout * 1000), ...(signal ? [signal] : [])]),
      dispatcher: dispatcherOf(target),
    }).catch((error: unknown) => {
      called()
      outage.failed(connectionCode(error) ?? (error instanceof Error ? error.name : 'unknown'))
      throw error
    })
    called(response.status)
    if (response.status >= 500) outage.failed(`status ${response.status}`)
    else outage.worked()
    const nonce = response.headers.get('dpop-nonce')
    if (isNonce(nonce) && (nonces.has(origin) || nonces.size < 100)) nonces.set(origin, nonce)
    return response
  }
  return Object.assign(issuerFetch, {
    nonceOf: (origin: string) => nonces.get(origin),
    close: destroy,
  })
}

interface Dispatchers {
  dispatcherOf(url: URL): Dispatcher
  destroy(): Promise<void>
}

function dispatchersOf(timeout: number, { ca, httpProxy, certificate }: IssuerWay): Dispatchers {
  const tls = {
    ...tlsPreset,
    ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
    ...certificate,
    timeout: timeout * 1000,
  }
  const limits = { headersTimeout: timeout * 1000, bodyTimeout: timeout * 1000, maxResponseSize }
  const direct = new Agent({ ...limits, connect: { ...tls, lookup: sharedLookup } })
  if (httpProxy === undefined) return { dispatcherOf: () => direct, destroy: () => direct.destroy() }
  const proxied = new ProxyAgent({
    ...limits,
    uri: httpProxy.url,
    // TLS is with the authorization server; the proxy carries bytes.
    requestTls: tls,
    proxyTls: { timeout: timeout * 1000 },
  })
  return {
    dispatcherOf: (url) => (goesDirectly(url, httpProxy) ? direct : proxied),
    async destroy() {
      await Promise.all([direct.destroy(), proxied.destroy()])
    },
  }
}
