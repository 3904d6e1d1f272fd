import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { JWK } from 'jose'
import { type FapiAlgorithm, generateKey, type KeyPair, keyPairOf } from './_jose.js'
import { suiteConfiguration } from './_suite-configuration.js'
import { startSallyport } from './authorization-server/_sallyport.js'

/**
 * Starts our authorization server and an API behind our validator for a run of the OpenID Foundation's own suite, and prints
 * the plan's configuration: `npm run conformance:serve`. Ends with SIGINT or SIGTERM.
 */
const { values } = parseArgs({
  options: {
    /** What the suite calls us. */
    origin: { type: 'string', default: 'https://localhost:9443' },
    /** Where to listen. */
    host: { type: 'string', default: '127.0.0.1' },
    /** What our clients call the suite. */
    suite: { type: 'string', default: 'https://localhost:8443' },
    alias: { type: 'string', default: 'sallyport' },
    variant: { type: 'string', default: 'openid_connect' },
    algorithm: { type: 'string', default: 'PS256' },
    /** File in which the clients' keys are kept, so that a plan's configuration stays good. Default: new keys each time. */
    keys: { type: 'string' },
    /** File for the plan's configuration. Default: standard output. */
    out: { type: 'string' },
  },
})

const algorithms: readonly string[] = ['PS256', 'ES256', 'EdDSA', 'Ed25519'] satisfies FapiAlgorithm[]
if (!algorithms.includes(values.algorithm)) throw new TypeError(`--algorithm is one of ${algorithms.join(', ')}`)
const algorithm = values.algorithm as FapiAlgorithm
if (!['openid_connect', 'plain_oauth'].includes(values.variant))
  throw new TypeError('--variant is one of openid_connect, plain_oauth')
// A slash at the end is no part of an origin, however often it is written.
const [origin, suite] = [new URL(values.origin).origin, new URL(values.suite).origin]

const user = { name: 'alice', password: 'wonderland' }
const scope = values.variant === 'openid_connect' ? 'openid offline_access accounts' : 'offline_access accounts'
const callback = `${suite}/test/a/${values.alias}/callback`
const [key1, key2] = await keyPairs(values.keys)
const clients = [
  { id: 'client-1', scope, key: key1, redirectUris: [callback] },
  { id: 'client-2', scope, key: key2, redirectUris: [`${callback}?dummy1=lorem&dummy2=ipsum`] },
] as const

const { port } = new URL(origin)
const server = await startSallyport(
  { user, clients: clients.map(({ key, ...client }) => ({ ...client, publicJwk: key.publicJwk })) },
  'none',
  { origin, host: values.host, port: Number(port || 443) },
).catch((error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error
  console.error(
    `${values.host}:${port || 443} is taken by another program. Stop it, or give another port with --origin.`,
  )
  process.exit(1)
})
const [one, two] = clients.map(({ id, key }) => ({ id, scope, privateJwk: key.privateJwk }))
if (one === undefined || two === undefined) throw new TypeError('two clients are needed')
const { issuer, resourceUrl } = server
const configuration = suiteConfiguration({
  alias: values.alias,
  suite,
  issuer,
  resourceUrl,
  user,
  clients: [one, two],
})
const text = `${JSON.stringify(configuration, null, 2)}\n`
if (values.out === undefined) process.stdout.write(text)
else await writeFile(values.out, text, { mode: 0o600 })

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())

/** Kept as private JWKs, for their owner only. */
async function keyPairs(file: string | undefined): Promise<readonly [KeyPair, KeyPair]> {
  if (file !== undefined && existsSync(file)) {
    const [one, two] = JSON.parse(await readFile(file, 'utf8')) as readonly JWK[]
    if (one?.alg !== algorithm || two?.alg !== algorithm)
      throw new TypeError(`${file} does not hold two keys for ${algorithm}`)
    return [await keyPairOf(one, algorithm), await keyPairOf(two, algorithm)]
  }
  const made = [await generateKey(algorithm), await generateKey(algorithm)] as const
  if (file !== undefined)
    await writeFile(file, JSON.stringify(made.map(({ privateJwk }) => privateJwk)), { mode: 0o600 })
  return made
}
