import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { type RequestListener, request } from 'node:http'
import { parseArgs } from 'node:util'
import type { JWK } from 'jose'
import { hashPassword } from '../../src/authorization-server/sign-in/password.js'
import { tlsPreset } from '../../src/http/tls.js'
import { selfSignedCertificate } from './_certificate.js'
import { listenSecurely } from './_https.js'
import { type FapiAlgorithm, generateKey, type KeyPair, keyPairOf } from './_jose.js'
import { type ShippedProgram, StartFailure, startShippedProgram } from './_shipped-program.js'
import { permissionsOf, suiteConfiguration } from './_suite-configuration.js'

/**
 * Starts the program that users run, with the embedded authorization server and the sample API, for a run of the OpenID
 * Foundation's own suite, and prints the plan's configuration: `npm run conformance:serve`. Ends with SIGINT or SIGTERM.
 */
const { values } = parseArgs({
  options: {
    /** What the suite calls us. */
    origin: { type: 'string', default: 'https://localhost:9443' },
    /** What the suite calls the API. Default: the origin, with the next port. */
    api: { type: 'string' },
    /** Where to listen. */
    host: { type: 'string', default: '127.0.0.1' },
    /** What our clients call the suite. */
    suite: { type: 'string', default: 'https://localhost:8443' },
    alias: { type: 'string', default: 'sallyport' },
    variant: { type: 'string', default: 'openid_connect' },
    algorithm: { type: 'string', default: 'PS256' },
    /** For the Message Signing plan: both clients have to sign their requests, and to ask for signed answers. */
    signed: { type: 'boolean', default: false },
    jarm: { type: 'boolean', default: false },
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
const port = portOf(origin)
const api = new URL(values.api ?? withPort(origin, port + 1)).origin

const user = { name: 'alice', password: 'wonderland' }
const scope = values.variant === 'openid_connect' ? 'openid offline_access accounts' : 'offline_access accounts'
const callback = `${suite}/test/a/${values.alias}/callback`
const [key1, key2] = await keyPairs(values.keys)
const clients = [
  { id: 'client-1', scope, key: key1, redirectUris: [callback] },
  { id: 'client-2', scope, key: key2, redirectUris: [`${callback}?dummy1=lorem&dummy2=ipsum`] },
] as const

const certificate = selfSignedCertificate('rsa')
const configuration = {
  OpenIddict: {
    Issuer: origin,
    Listen: listenAt(values.host, port),
    Tls: { CertFile: 'tls.crt', KeyFile: 'tls.key' },
    Seeding: {
      Scopes: [{ Name: 'accounts' }],
      Users: [
        {
          Username: user.name,
          PasswordHash: await hashPassword(user.password),
          Claims: { sub: 'user-1', name: 'Alice Liddell', email: 'alice@example.com' },
        },
      ],
      Applications: clients.map(({ id, key, redirectUris }) => ({
        ClientId: id,
        SigningKeyJwk: key.publicJwk,
        RedirectUris: redirectUris,
        Permissions: permissionsOf(scope),
        RequireSignedRequests: values.signed,
        RequireSignedResponses: values.jarm,
      })),
    },
  },
  Authentication: {
    // The sample API speaks plain HTTP: it is made to stand behind a gateway. The suite calls it through a TLS front.
    OpenIddict: { Listen: '127.0.0.1:0', PublicUrl: api, Audience: api, AuthorityCaFile: 'tls.crt' },
  },
}
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
const program = await startProgram()
const front = await startFront(program)

const [one, two] = clients.map(({ id, key }) => ({ id, scope, privateJwk: key.privateJwk }))
if (one === undefined || two === undefined) throw new TypeError('two clients are needed')
const plan = suiteConfiguration({
  alias: values.alias,
  suite,
  issuer: origin,
  resourceUrl: `${api}/api/whoami`,
  user,
  clients: [one, two],
})
const text = `${JSON.stringify(plan, null, 2)}\n`
if (values.out === undefined) process.stdout.write(text)
else await writeFile(values.out, text, { mode: 0o600 })

const code = await program.ended
await front.close()
process.exitCode = code ?? 1

async function startProgram(): Promise<ShippedProgram> {
  try {
    const { cert, key } = certificate
    const files = { 'frontends.json': JSON.stringify(configuration), 'tls.crt': cert, 'tls.key': key }
    return await startShippedProgram(files, 2, stopping.signal)
  } catch (error) {
    if (!(error instanceof StartFailure)) throw error
    if (error.complaint.includes('which another program listens on')) sayTaken(port, '--origin')
    process.exit(1)
  }
}

/** TLS before the sample API, which is the last that the program says to listen. */
async function startFront({ urls, ended }: ShippedProgram) {
  try {
    return await listenSecurely(tlsPreset, () => passOn(urls.at(-1) ?? ''), {
      origin: api,
      host: values.host,
      port: portOf(api),
    })
  } catch (error) {
    stopping.abort()
    await ended
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    sayTaken(portOf(api), '--api')
    process.exit(1)
  }
}

/** With every header field as it came: the API believes its `Host`. */
function passOn(api: string): RequestListener {
  return (incoming, response) => {
    const { method = 'GET', headers, url = '/' } = incoming
    const outgoing = request(new URL(url, api), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    outgoing.on('error', () => response.writeHead(502).end())
    incoming.pipe(outgoing)
  }
}

function sayTaken(port: number, option: string): void {
  console.error(`${values.host}:${port} is taken by another program. Stop it, or give another port with ${option}.`)
}

function portOf(url: string): number {
  return Number(new URL(url).port || 443)
}

function withPort(url: string, port: number): URL {
  const other = new URL(url)
  other.port = String(port)
  return other
}

function listenAt(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

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
