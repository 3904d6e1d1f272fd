import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { explain } from '../../src/cli/explain.js'
import { explanationOf } from '../../src/cli/explanation.js'
import type { FrontendOptions } from '../../src/gateway/options.js'
import type { AccessRule, RouteOptions } from '../../src/gateway/route-options.js'
import { aGate, everyWay, publicOrigin } from '../attacks/_gate.js'
import { aFile } from '../config/_workspace.js'
import { aFrontend, aRoute } from '../gateway/_gateway.js'
import { aFrontend as written } from './_checked.js'
import { sallyport } from './_sallyport.js'

/* What `explain` says about who may in is compared with what a running gateway does. */

const staff: readonly AccessRule[] = [{ claim: 'realm_access.roles', anyOf: ['staff', 'chief'] }]
const routes: readonly Partial<RouteOptions>[] = [
  { path: '/api' },
  { path: '/money', access: [{ claim: 'department', anyOf: ['finance'] }] },
  { path: '/hook', tokenType: 'None' },
  { path: '/maybe', tokenType: 'UserOrNone' },
]

for (const claims of [
  {},
  { realm_access: { roles: ['staff'] } },
  { realm_access: { roles: ['chief'] }, department: 'finance' },
  { department: 'finance' },
] as const)
  test(`a user with ${JSON.stringify(claims)} gets what explain says`, async (t) => {
    const gate = await aGate(t, { frontends: [{ access: staff, routes }] })
    const frontend: FrontendOptions = aFrontend({
      publicUrl: new URL(publicOrigin),
      authority: 'http://127.0.0.1:9',
      access: staff,
      routes: routes.map((route) => aRoute({ upstreams: [gate.upstream.url], ...route })),
    })
    const { cookie } = await gate.plant('app', { claims })
    for (const { path } of routes) {
      const { access } = explanationOf('GET', `${publicOrigin}${path}/x`, [frontend], claims)
      await everyWay(gate, { target: `${path}/x`, cookie }, ({ status, answer }) => {
        if (access?.user?.outcome === 'refused') {
          t.is(status, 403)
          t.true(answer.includes(JSON.stringify(access.user.reason.replace(/^.*?: /, '')).slice(1, -1)), answer)
        } else t.true(status === 200 || status === 101, `${path} ${status}`)
      })
      await everyWay(gate, { target: `${path}/x` }, ({ status }) =>
        t.is(status === 401, access?.session === 'required', `${path} without a session`),
      )
    }
  })

const configuration = written('https://auth.example.com', {
  Access: [{ Claim: 'realm_access.roles', AnyOf: ['staff', 'chief'] }],
  Routes: [
    { Path: '/api', Upstreams: ['http://orders:8080'] },
    { Path: '/hook', Upstreams: ['http://orders:8080'], TokenType: 'None' },
  ],
})

async function printed(t: ExecutionContext, path: string, claimsFile?: string): Promise<string> {
  let output = ''
  const write = (text: string) => {
    output += text
  }
  const [url, file] = [`http://localhost:3000${path}`, await aFile(t, configuration)]
  await explain({ method: 'GET', url, file, format: 'text', claimsFile, environment: {}, output: { write } })
  return output
}

async function aClaimsFile(t: ExecutionContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-claims-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'claims.json')
  await writeFile(file, text)
  return file
}

test('the words name the rule, what else happens, and what the user gets', async (t) => {
  const rule = 'access    realm_access.roles has one of staff, chief; otherwise 403 bff.access.denied'
  t.true((await printed(t, '/api/x')).includes(`${rule}; without a session 401 bff.session.absent\n`))
  t.notRegex(await printed(t, '/api/x'), /^user/m)
  t.notRegex(await printed(t, '/hook'), /access|403 bff\.access/)
  const guest = await aClaimsFile(t, '{"realm_access": {"roles": ["guest"]}}')
  t.regex(await printed(t, '/api/x', guest), /^user +403 bff\.access\.denied: .*"realm_access\.roles"$/m)
  const chief = await aClaimsFile(t, '{"realm_access": {"roles": ["chief"]}}')
  t.regex(await printed(t, '/api/x', chief), /^user +with these claims is let in$/m)
})

test('the program takes --claims', async (t) => {
  const words = ['explain', 'GET', 'http://localhost:3000/api/x', '--config', await aFile(t, configuration)]
  const claims = await aClaimsFile(t, '{"realm_access": {"roles": "chief"}}')
  const { stdout } = await sallyport([...words, '--claims', claims, '--json'])
  t.deepEqual((JSON.parse(stdout) as { access: { user: unknown } }).access.user, { outcome: 'let in' })
})

for (const [what, text] of [
  ['no JSON', 'roles: staff'],
  ['a list', '["staff"]'],
  ['null', 'null'],
] as const)
  test(`a file of claims that is ${what} is told, with how to write it`, async (t) => {
    const file = await aClaimsFile(t, text)
    await t.throwsAsync(printed(t, '/api/x', file), { message: /is not (JSON|a JSON object)\. Write the claims/ })
  })

test('a file of claims that is not there is told', async (t) => {
  await t.throwsAsync(printed(t, '/api/x', '/nowhere/claims.json'), { message: /cannot be read/ })
})
