import { protect } from '../../src/dpop-validator/adapters/fetch.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'

/*
 * An API in one of the runtimes that have a server of Fetch handlers of their own. Their types are not at hand here, and no
 * more is needed of them than this.
 */
interface Runtime {
  readonly Bun?: {
    serve(options: { hostname: string; port: number; fetch(request: Request): Promise<Response> }): { port: number }
  }
  readonly Deno?: {
    serve(
      options: { hostname: string; port: number; onListen(): void },
      handler: (request: Request) => Promise<Response>,
    ): { readonly addr: { readonly port: number } }
  }
}

const [issuer = '', publicUrl = ''] = process.argv.slice(2)
const verifier = createVerifier({ issuer, audience: publicUrl, publicUrl, jwks: { burst: 1000 } })
const handler = protect(verifier)((_request, { subject }) => Response.json({ subject }))
const { Bun, Deno } = globalThis as Runtime
const hostname = '127.0.0.1'
const port =
  Bun?.serve({ hostname, port: 0, fetch: (request) => handler(request) }).port ??
  Deno?.serve({ hostname, port: 0, onListen: () => undefined }, (request) => handler(request)).addr.port
console.log(`http://${hostname}:${port}`)
