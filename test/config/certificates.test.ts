import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { readConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { selfSigned } from '../http/_self-signed.js'
import { aFolder } from './_workspace.js'

const configuration = JSON.stringify({
  Server: { Tls: { CertFile: 'cert.pem', KeyFile: 'key.pem' } },
  Authentication: { OpenIddict: { Issuer: 'https://auth.example.com', Audience: 'api' } },
})

async function problemsWith(folder: string, cert: string, key: string, now?: () => number): Promise<readonly string[]> {
  const file = join(folder, 'frontends.json')
  await writeFile(file, configuration)
  await writeFile(join(folder, 'cert.pem'), cert)
  await writeFile(join(folder, 'key.pem'), key)
  try {
    readConfiguration({ file, environment: {}, state: 'look', ...(now && { now }) })
    return []
  } catch (error) {
    if (error instanceof ConfigurationError)
      return error.problems.map(({ pointer, problem }) => `${pointer} ${problem}`)
    throw error
  }
}

test('a certificate is found to go with its key before anything starts', async (t) => {
  const folder = await aFolder(t)
  const [mine, other] = await Promise.all([selfSigned(), selfSigned()])
  t.deepEqual(await problemsWith(folder, mine.cert, mine.key), [])
  t.deepEqual(await problemsWith(folder, mine.cert, other.key), [
    '/Server/Tls is not a certificate with its private key',
  ])
  t.deepEqual(await problemsWith(folder, 'not PEM', mine.key), [
    '/Server/Tls is not a certificate with its private key',
  ])
})

test('a certificate that has expired is found', async (t) => {
  const { cert, key } = await selfSigned()
  const inAYear = () => Date.now() / 1000 + 31_536_000
  const [found] = await problemsWith(await aFolder(t), cert, key, inAYear)
  t.regex(found ?? '', /^\/Server\/Tls\/CertFile has expired on /)
})
