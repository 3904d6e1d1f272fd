import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { decodeProtectedHeader } from 'jose'
import { Agent, fetch as send } from 'undici'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier, type VerifierOptions } from '../../src/dpop-validator/dpop-validator.js'
import { generateSigningJwk, type Jwk } from '../../src/jose/jwk.js'
import { freePorts } from '../flows/_stack.js'
import type { Certificate } from '../http/_self-signed.js'
import { cache } from './_cache.js'
import { answers, type Running, start } from './_processes.js'

/** The shipped program as a gateway, and an API with our validator: what stands around a foreign authorization server. */
export interface Stage {
  /** Origin of the gateway. */
  readonly gateway: string
  /** URL of the API, and the audience of its tokens. */
  readonly api: string
  /** Of the gateway, as the client `shop`. */
  readonly clientKey: Jwk
  readonly certFile: string
  readonly keyFile: string
  /** As `fetch`, which trusts the certificate too. */
  readonly fetch: typeof fetch
  /** Starts the gateway. */
  open(scene: Scene): Promise<void>
  /** How often the gateway's log has this event. */
  logged(event: string): number
  output(): string
  close(): Promise<void>
}

export interface Scene {
  readonly issuer: string
  /** The API's validator. */
  readonly validator?: Partial<VerifierOptions>
  /** Of the configuration file, besides what every foreign server needs. */
  readonly bff?: object
  readonly frontend?: object
  /** Upstream of `/api`. Default: the API with our validator. */
  readonly upstream?: string
}

/** @param certificate For the gateway's TLS. Default: plain http. */
export async function aStage(certificate?: Certificate): Promise<Stage> {
  const folder = await mkdtemp(join(await cache('stages'), 'stage-'))
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  if (certificate !== undefined) {
    await writeFile(certFile, certificate.cert)
    await writeFile(keyFile, certificate.key)
  }
  const [port = 0, adminPort = 0] = await freePorts(2)
  const origin = `${certificate === undefined ? 'http' : 'https'}://localhost:${port}`
  const clientKey = generateSigningJwk('ES256')
  let guard: ReturnType<typeof protect> | undefined
  const server = createServer(async (request, response) => {
    const auth = await guard?.(request, response)
    if (auth === undefined) return
    const { kid } = decodeProtectedHeader(request.headers.authorization?.split(' ')[1] ?? '')
    response.end(JSON.stringify({ subject: auth.subject, kid }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const api = `http://127.0.0.1:${(server.address() as { readonly port: number }).port}`
  const dispatcher = new Agent({ connect: { ca: certificate?.cert } })
  let program: Running | undefined

  return {
    gateway: origin,
    api,
    clientKey,
    certFile,
    keyFile,
    fetch: ((url: URL, init: object) => send(url, { ...init, dispatcher })) as unknown as typeof fetch,
    async open({ issuer, validator, bff, frontend, upstream = api }) {
      const ca = certificate === undefined ? {} : { ca: certificate.cert }
      guard = protect(createVerifier({ issuer, audience: api, publicUrl: api, ...ca, ...validator }))
      const tls = certificate && { CertFile: certFile, KeyFile: keyFile }
      const configuration = {
        Server: { Listen: `127.0.0.1:${port}`, AdminListen: `127.0.0.1:${adminPort}`, Tls: tls, LogLevel: 'debug' },
        Bff: {
          Authority: issuer,
          AuthorityCaFile: certificate && certFile,
          PublicUrl: origin,
          ...bff,
          Frontends: [
            {
              Name: 'shop',
              ClientId: 'shop',
              ClientSigningKeyJwk: clientKey,
              Scopes: ['openid', 'profile', 'orders'],
              Routes: [{ Path: '/api', StripPath: true, Upstreams: [upstream] }],
              ...frontend,
            },
          ],
        },
      }
      const file = join(folder, 'frontends.json')
      await writeFile(file, JSON.stringify(configuration))
      program = start(process.execPath, [resolve('dist/main.js'), 'start', '--config', file], {
        cwd: folder,
        environment: { Server__DrainDelay: '00:00:00' },
      })
      await answers(program, `http://127.0.0.1:${adminPort}/readyz`)
    },
    logged: (event) => (program?.output().split(`"${event}"`).length ?? 1) - 1,
    output: () => program?.output() ?? '',
    async close() {
      await program?.stop()
      server.close()
      server.closeAllConnections()
      await dispatcher.close()
      await rm(folder, { recursive: true })
    },
  }
}
