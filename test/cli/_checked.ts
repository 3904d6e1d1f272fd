import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { check } from '../../src/cli/check.js'
import type { Trial } from '../../src/cli/probe/probe.js'
import { readConfiguration } from '../../src/config/load.js'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { run } from '../../src/server/run.js'
import { aFile } from '../config/_workspace.js'
import { freePorts } from '../flows/_stack.js'

export interface Report {
  readonly ok: boolean
  readonly problems: readonly { readonly pointer: string; readonly where: string }[]
  readonly trials: readonly Trial[]
}

/** What `check` says of a configuration, with the network. */
export async function checked(t: ExecutionContext, content: unknown): Promise<Report> {
  let output = ''
  const ok = await check({
    file: await aFile(t, content),
    network: 'try',
    format: 'json',
    environment: {},
    output: {
      write(text) {
        output += text
      },
    },
  })
  const report = JSON.parse(output) as Report
  t.is(report.ok, ok)
  return report
}

export async function listening(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export const key = generateSigningJwk('ES256')

export function aFrontend(authority: string, more: object = {}) {
  return {
    Bff: {
      Authority: authority,
      PublicUrl: 'http://localhost:3000',
      Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: key, Scopes: ['openid'], ...more }],
    },
  }
}

/** An authorization server of another process, as far as `check` can tell. */
export async function aServer(t: ExecutionContext, application: object = {}): Promise<string> {
  const [port = 0] = await freePorts(1)
  const issuer = `http://localhost:${port}`
  const known = {
    ClientId: 'my-bff',
    SigningKeyJwk: publicHalf(key),
    RedirectUris: ['http://localhost:3000/bff/callback'],
    Permissions: ['ept:authorization', 'ept:pushed_authorization', 'ept:token', 'gt:authorization_code', 'scp:openid'],
  }
  const file = await aFile(t, {
    OpenIddict: { Issuer: issuer, Seeding: { Applications: [{ ...known, ...application }] } },
  })
  const running = await run(readConfiguration({ file, environment: {} }))
  t.teardown(() => running.stop())
  return issuer
}

export const failures = ({ trials }: Report) => trials.filter(({ outcome }) => outcome === 'failed')
