import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { checkServerIdentity, connect, createServer as createTlsServer } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { demoSettings } from '../../../src/cli/dev/demo-settings.js'
import { localCertificate } from '../../../src/cli/dev/local-authority.js'
import { trustAdvice } from '../../../src/cli/dev/trust-advice.js'
import { aFolder } from '../../config/_workspace.js'
import { chromiumIsInstalled, withChromium } from '../../flows/_chromium.js'
import { freePorts } from '../../flows/_stack.js'

const day = 86_400_000

test('the certificate is for localhost, its authority for localhost only, and both keys are for their owner', async (t) => {
  const folder = join(await aFolder(t), 'https')
  const files = await localCertificate(folder)
  const [certificate, authority] = await Promise.all(
    [files.certFile, files.caFile].map(async (file) => new X509Certificate(await readFile(file))),
  )
  if (certificate === undefined || authority === undefined) return t.fail()
  t.is(certificate.subjectAltName, 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')
  t.true(certificate.checkIssued(authority))
  t.true(certificate.verify(authority.publicKey))
  t.true(authority.ca)
  t.false(certificate.ca)
  const lives = Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)
  t.true(lives <= 398 * day, 'what Apple takes')
  for (const name of ['ca.key', 'localhost.key']) t.is((await stat(join(folder, name))).mode & 0o777, 0o600)
  t.is((await stat(folder)).mode & 0o777, 0o700)
})

test('it is made once, and renewed by the same authority before it ends', async (t) => {
  const folder = await aFolder(t)
  const files = await localCertificate(folder)
  const read = async () => [await readFile(files.caFile, 'utf8'), await readFile(files.certFile, 'utf8')]
  const [authority, certificate] = await read()
  await localCertificate(folder, Date.now() + 300 * day)
  t.deepEqual(await read(), [authority, certificate])
  await localCertificate(folder, Date.now() + 380 * day)
  const [later, renewed] = await read()
  t.is(later, authority, 'browsers have to trust nothing anew')
  t.not(renewed, certificate)
})

/** Whether a TLS client that trusts the authority takes a certificate for a name. */
async function isTaken(
  t: ExecutionContext,
  servername: string,
  files: { ca: string; cert: string; key: string },
): Promise<string> {
  const server = createTlsServer({ cert: files.cert, key: files.key }, (socket) =>
    socket.on('error', () => undefined).end(),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const socket = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    ca: files.ca,
    servername,
    checkServerIdentity,
  })
  try {
    await once(socket, 'secureConnect')
    return 'taken'
  } catch (error) {
    return (error as Error).message
  } finally {
    socket.destroy()
  }
}

test('a TLS client that trusts the authority takes localhost, and no other name', async (t) => {
  const made = await localCertificate(await aFolder(t))
  const [ca, cert, key] = await Promise.all(
    [made.caFile, made.certFile, made.keyFile].map((file) => readFile(file, 'utf8')),
  )
  const files = { ca: ca ?? '', cert: cert ?? '', key: key ?? '' }
  t.is(await isTaken(t, 'localhost', files), 'taken')
  t.regex(await isTaken(t, 'bank.example', files), /does not match certificate's altnames/)
})

test('with what the authority signs for another name, a client that trusts it is not deceived', async (t) => {
  const { default: forge } = await import('node-forge')
  const folder = await aFolder(t)
  const made = await localCertificate(folder)
  const text = (file: string) => readFile(file, 'utf8')
  const authority = forge.pki.certificateFromPem(await text(made.caFile))
  const forged = forge.pki.certificateFromPem(await text(made.certFile))
  forged.setSubject([{ name: 'commonName', value: 'bank.example' }])
  forged.setIssuer(authority.subject.attributes)
  forged.setExtensions([{ name: 'subjectAltName', altNames: [{ type: 2, value: 'bank.example' }] }])
  forged.sign(forge.pki.privateKeyFromPem(await text(join(folder, 'ca.key'))), forge.md.sha256.create())
  const files = { ca: await text(made.caFile), cert: forge.pki.certificateToPem(forged), key: await text(made.keyFile) }
  t.is(await isTaken(t, 'bank.example', files), 'permitted subtree violation')
})

test('all ports and schemes of the demo move together', (t) => {
  t.deepEqual(demoSettings({ port: 3000, certificate: undefined }), {})
  const certificate = { certFile: '/c', keyFile: '/k', caFile: '/a' }
  const moved = demoSettings({ port: 4000, certificate })
  for (const value of Object.values(moved)) t.notRegex(value, /:300\d/)
  t.like(moved, { Bff__PublicUrl: 'https://localhost:4000', OpenIddict__Issuer: 'https://localhost:4001' })
  t.like(demoSettings({ port: 3000, certificate }), {
    Bff__PublicUrl: 'https://localhost:3000',
    Authentication__OpenIddict__Issuer: 'https://localhost:3001',
    Server__Tls__KeyFile: '/k',
  })
})

test('what to do so that browsers trust it is a command of this system', (t) => {
  t.regex(trustAdvice('/a b/ca.pem', 'darwin').join('\n'), /security add-trusted-cert .* "\/a b\/ca\.pem"/)
  t.regex(trustAdvice('C:\\ca.pem', 'win32').join('\n'), /certutil -user -addstore Root C:\\ca\.pem/)
  t.regex(trustAdvice('/ca.pem', 'linux').join('\n'), /certutil -d sql:.* -i \/ca\.pem\n.*Firefox/)
})

function fetched(url: string, ca: string): Promise<string> {
  return new Promise((done, fail) => {
    get(url, { ca, headers: { 'X-CSRF': '1' } }, (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk)).on('end', () => done(text))
    }).on('error', fail)
  })
}

test.serial('dev --https: the banner says where, and alice signs in there with a browser', async (t) => {
  const folder = await aFolder(t)
  const [first = 0] = await freePorts(1)
  // Three in a row that are hardly ever taken together.
  const port = Math.min(first, 65_000)
  const demo = spawn(process.execPath, [resolve('dist/main.js'), 'dev', '--https', '--port', String(port)], {
    cwd: folder,
  })
  let output = ''
  t.teardown(async () => {
    demo.kill('SIGTERM')
    if (demo.exitCode === null) await once(demo, 'exit')
  })
  await new Promise<void>((done, fail) => {
    for (const stream of [demo.stdout, demo.stderr])
      stream.on('data', (chunk) => {
        output += chunk
        if (output.includes('Press Ctrl+C')) done()
      })
    demo.once('exit', () => fail(new Error(output)))
  })
  t.true(output.includes(`https://localhost:${port}/admin/`), output)
  t.true(output.includes(join('.sallyport', 'https', 'ca.pem')), output)
  const ca = await readFile(join(folder, '.sallyport/https/ca.pem'), 'utf8')
  t.deepEqual(JSON.parse(await fetched(`https://localhost:${port}/bff/user`, ca)), { authenticated: false })
  if (!chromiumIsInstalled) return
  await withChromium(
    async (context) => {
      const page = await context.newPage()
      await page.goto(`https://localhost:${port}/`)
      await page.getByRole('link', { name: 'Sign in' }).click()
      await page.getByLabel('Username').fill('alice')
      await page.getByLabel('Password').fill('wonderland')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Allow' }).click()
      await page.getByRole('heading', { name: /Hello, Alice/ }).waitFor()
      const cookies = await context.cookies()
      t.true(cookies.every(({ secure }) => secure) && cookies.some(({ name }) => name === '__Host-Http-bff-app'))
      await page.getByRole('button', { name: 'List orders' }).click()
      await page.getByText('The API saw: the proof').waitFor()
    },
    { ignoreHTTPSErrors: true },
  )
})
