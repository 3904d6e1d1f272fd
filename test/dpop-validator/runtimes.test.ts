import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import test from 'ava'
import { attack } from '../../src/dpop-validator/testing/attack.js'
import { startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'

const publicUrl = 'https://api.example'
const program = new URL('./_runtime-api.js', import.meta.url).pathname

/** Neither shows the host of an absolute target (38); Deno takes a request without a Host (34). */
for (const [name, args, except] of [
  ['bun', ['run'], ['38']],
  ['deno', ['run', '--allow-all'], ['34', '38']],
] as const) {
  const isInstalled = spawnSync(name, ['--version']).status === 0
  if (!isInstalled && process.env.CI) throw new Error(`${name} is missing. In CI its tests have to run.`)
  const run = isInstalled ? test : test.skip

  run(`in ${name} the Fetch adapter takes a good call, once, and nothing else`, async (t) => {
    const issuer = await startTestIssuer({ audience: publicUrl })
    const runtime = spawn(name, [...args, program, issuer.issuer, publicUrl], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(async () => {
      runtime.kill('SIGKILL')
      await issuer.close()
    })
    const [origin] = (await once(createInterface(runtime.stdout), 'line')) as [string]
    const key = issuer.generateKey()
    const token = issuer.mintToken(key.jkt, { claims: { sub: 'alice' } })
    const proof = issuer.mintProof({ method: 'GET', url: `${publicUrl}/orders`, key, token })
    const call = (headers: Record<string, string>) => fetch(`${origin}/orders`, { headers })

    const good = await call({ Authorization: `DPoP ${token}`, DPoP: proof })
    t.is(good.status, 200)
    t.deepEqual(await good.json(), { subject: 'alice' })
    const replayed = await call({ Authorization: `DPoP ${token}`, DPoP: proof })
    t.is(replayed.status, 401)
    t.regex(replayed.headers.get('www-authenticate') ?? '', /^DPoP error="invalid_dpop_proof".*used before/)
    const bearer = await call({ Authorization: `Bearer ${token}` })
    t.is(bearer.status, 401)
    t.regex(bearer.headers.get('www-authenticate') ?? '', /^Bearer error="invalid_token".*DPoP algs=/)
    const { failures, cases } = await attack({ url: `${origin}/orders/open?page=2`, publicUrl, issuer, except })
    t.deepEqual(failures, [])
    t.true(cases > 300)
  })
}
