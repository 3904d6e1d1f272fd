import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { selfSigned } from '../http/_self-signed.js'
import { type Engine, engines, type Tab } from './_engines.js'
import { runStack, type Stack, startStack } from './_stack.js'

/** What a person does on the first day, and what it looks like to the page. */
async function walk(t: ExecutionContext, tab: Tab, origin: string): Promise<void> {
  const status = async (button: string): Promise<unknown> => {
    await tab.evaluate("document.getElementById('path').removeAttribute('data-status')")
    await tab.click(button)
    await tab.until("document.querySelector('#path[data-status]')")
    return tab.evaluate("document.getElementById('path').dataset.status")
  }
  const answer = async (password: string): Promise<void> => {
    await tab.fill('#username', 'alice')
    await tab.fill('#password', password)
    await tab.click('#sign-in')
  }

  await tab.open(`${origin}/`)
  await tab.until("document.querySelector('#signed-out:not([hidden])')")
  await tab.click('a#sign-in')
  await tab.until("document.getElementById('password')")
  await answer('wrong')
  await tab.until("document.querySelector('[role=alert]')")
  await answer('wonderland')
  await tab.until("document.getElementById('allow')")
  await tab.click('#allow')
  await tab.until("document.getElementById('greeting')?.textContent.includes('Alice')")
  t.is(await tab.evaluate('location.href'), `${origin}/`)

  t.is(await status('[data-call="GET api/whoami"]'), '200')
  t.is(await status('[data-call="POST api/orders"]:not([data-bare])'), '201')
  t.is(await tab.evaluate('document.cookie'), '', 'no script sees a cookie')

  await tab.open(`${origin}/admin/`)
  await tab.until("document.querySelector('#signed-out:not([hidden])')")
  await tab.click('a#sign-in')
  // The authorization server has kept its own cookie, too: it asks for no password.
  await tab.until("document.getElementById('allow')")
  await tab.click('#allow')
  await tab.until("document.getElementById('greeting')?.textContent.includes('Alice')")
  t.is(await tab.evaluate('location.pathname'), '/admin/')

  await tab.click('#sign-out')
  await tab.until("document.querySelector('#signed-out:not([hidden])')")
  const user = `${origin}/admin/bff/user`
  await tab.open(user)
  await tab.until('document.body.textContent.includes(\'"authenticated":false\')')
}

const walks = test.macro(async (t, { withTab }: Engine, protocol: 'http' | 'https') => {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const stack = await (protocol === 'http' ? runStack() : startSecureStack(folder))
  try {
    await withTab((tab) => walk(t, tab, `${protocol}://localhost:${stack.gateway.port}`))
  } finally {
    t.is(await stack.stop(), 0, stack.output())
  }
})

async function startSecureStack(folder: string): Promise<Stack> {
  const certificate = await selfSigned()
  const [CertFile, KeyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  await Promise.all([writeFile(CertFile, certificate.cert), writeFile(KeyFile, certificate.key)])
  return startStack({
    configure(configuration) {
      const { Server, Bff, OpenIddict, Authentication } = configuration
      Server.Tls = OpenIddict.Tls = { CertFile, KeyFile }
      Bff.PublicUrl = Bff.PublicUrl.replace('http:', 'https:')
      Bff.AuthorityCaFile = CertFile
      OpenIddict.Issuer = OpenIddict.Issuer.replace('http:', 'https:')
      Authentication.OpenIddict.Issuer = OpenIddict.Issuer
    },
    environment: { NODE_EXTRA_CA_CERTS: CertFile },
  })
}

for (const engine of engines)
  for (const protocol of ['http', 'https'] as const) {
    // On the project's own machines a missing browser is a failure, elsewhere a skip.
    const title = `${engine.name}, ${protocol}://localhost: sign in, call the API, visit the other frontend, sign out`
    if (engine.isInstalled || process.env.CI === 'true') test.serial(title, walks, engine, protocol)
    else test.skip(title, walks, engine, protocol)
  }
