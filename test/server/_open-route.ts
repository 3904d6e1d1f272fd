import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { readConfiguration } from '../../src/config/load.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { run } from '../../src/server/run.js'
import { aFolder } from '../config/_workspace.js'

export interface OpenRoute {
  readonly program: Awaited<ReturnType<typeof run>>
  /** Of the program: where a relative path leads to. */
  readonly directory: string
  /** Headers of the calls that have come to the API. */
  readonly seen: readonly IncomingHttpHeaders[]
}

/** The program in this process, for https://app.example.com, with `/open`, which asks for no sign-in, and an API behind it. */
export async function anOpenRoute(t: ExecutionContext, server: Readonly<Record<string, unknown>>): Promise<OpenRoute> {
  const seen: IncomingHttpHeaders[] = []
  const api = createServer(({ headers }, response) => {
    seen.push(headers)
    response.end('the API')
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.teardown(() => void api.close())
  const { port } = api.address() as AddressInfo
  const directory = await aFolder(t)
  const program = await run(
    readConfiguration({
      environment: {},
      directory,
      value: {
        Server: { TrustedProxies: ['127.0.0.1/32'], LogLevel: 'silent', DrainDelay: '00:00:00', ...server },
        Store: { Memory: {} },
        Bff: {
          Authority: 'https://auth.example.com',
          PublicUrl: 'https://app.example.com',
          Frontends: [
            {
              Name: 'app',
              ClientId: 'app',
              ClientSigningKeyJwk: generateSigningJwk('ES256'),
              Routes: [{ Path: '/open', Upstreams: [`http://127.0.0.1:${port}`], TokenType: 'None' }],
            },
          ],
        },
      },
    }),
  )
  t.teardown(() => program.stop())
  return { program, directory, seen }
}
