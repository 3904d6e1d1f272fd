/** A gateway on the memory store in a process of its own. It plants sessions as a login makes them, and tells what it takes. */
import { hash, randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { generateProofKey } from '../src/dpop/prover.js'
import { createFrontend } from '../src/gateway/frontend/frontend.js'
import type { OpenedSessions } from '../src/gateway/session/opened-sessions.js'
import { createSessionStore } from '../src/gateway/session/session-store.js'
import { createMemoryStore } from '../src/store/memory-store.js'
import { aFrontend, aRoute, gatewayOptions, listen, serveGateway } from '../test/gateway/_gateway.js'

export type HolderOrder =
  | { readonly plant: { readonly from: number; readonly to: number } }
  /** With a collection first, which no process does by itself at the moment that one looks. */
  | { readonly weigh: 'as it is' | 'collected' }

/** Bytes. */
export interface Weight {
  readonly rss: number
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
  /** As the store counts it. */
  readonly store: number
}

/** What the holder says when it listens. */
export interface Holder {
  readonly port: number
}

/** Known to the process that holds the session and to the one that calls with it. */
export const sessionIdentifierOf = (index: number): string => hash('sha256', `session ${index}`, 'base64url')

/** What plants them is not the gateway, which opens what it is called with. */
const nothing = { get: () => undefined, set() {}, delete() {}, clear() {} }
const keepsNone: OpenedSessions = { ...nothing, touches: nothing }

const header = Buffer.from(JSON.stringify({ alg: 'PS256', typ: 'at+jwt', kid: hash('sha256', 'key') })).toString(
  'base64url',
)

/** They take as long to make as all the rest of a session: these take turns. */
const proofKeys = Array.from({ length: 1000 }, generateProofKey)

/** Of a kilobyte, as one with a dozen claims and a PS256 signature is. */
const aToken = (): string =>
  `${header}.${randomBytes(400).toString('base64url')}.${randomBytes(256).toString('base64url')}`

async function hold(upstream: string): Promise<void> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const on = await listen()
  const store = createMemoryStore()
  const frontend = aFrontend({
    publicUrl: new URL(on.url),
    authority: 'http://127.0.0.1:9',
    routes: [aRoute({ upstreams: [new URL(upstream)] })],
  })
  const options = gatewayOptions([frontend], { store })
  await serveGateway(on, options)
  const sessions = createSessionStore({
    ...options,
    frontend: createFrontend(frontend),
    opened: keepsNone,
    now: () => Date.now() / 1000,
  })

  const plant = async (index: number): Promise<void> => {
    const id = sessionIdentifierOf(index)
    const [now, sub, sid] = [Math.floor(Date.now() / 1000), `user-${index}`, randomBytes(16).toString('base64url')]
    const session = await sessions.start(id, {
      createdAt: now,
      subject: sub,
      sid,
      claims: { sub, sid, name: 'Alice Liddell', email: `${sub}@example.com`, email_verified: true, auth_time: now },
      idToken: aToken(),
      nonce: randomBytes(32).toString('base64url'),
      proofKey: proofKeys[index % proofKeys.length] ?? generateProofKey(),
      refreshToken: randomBytes(32).toString('base64url'),
      accessTokens: { '': { value: aToken(), expiresAt: now + 3600 } },
    })
    await sessions.keepAlive(id, session, () => ({ address: '192.0.2.0/24', userAgent }))
  }
  const weigh = (): Weight => {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
    return { rss, heapUsed, heapTotal, external, store: store.usage().bytes }
  }
  process.on('message', async (order: HolderOrder) => {
    if ('plant' in order) for (let index = order.plant.from; index < order.plant.to; index++) await plant(index)
    else if (order.weigh === 'collected') collect()
    process.send?.(weigh())
  })
  process.on('disconnect', () => process.exit())
  process.send?.({ port: on.port } satisfies Holder)
}

const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36'

if (process.send !== undefined && process.argv[2] !== undefined) await hold(process.argv[2])
