import { execFileSync } from 'node:child_process'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Environment } from '../../src/config/environment.js'
import { createFiles } from '../../src/config/files.js'
import { type Configuration, readConfiguration, readingConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { aFile } from './_workspace.js'

const base = {
  Bff: {
    Authority: 'https://auth.example.com',
    SealingKeys: [Buffer.alloc(32, 1).toString('base64url')],
    FrontendsFolder: './frontends.d',
  },
}

const frontend = (name: string, more: object = {}) => ({
  Name: name,
  ClientId: `${name}-bff`,
  PublicUrl: `https://${name}.example.com`,
  ClientSigningKeyJwk: { File: 'key.jwk' },
  Routes: [{ Path: '/api', Upstreams: ['https://orders.internal'] }],
  ...more,
})

interface Folder {
  readonly file: string
  write(name: string, content: unknown): Promise<void>
  read(environment?: Environment): Configuration
  problems(): readonly string[]
}

async function aFolder(t: ExecutionContext, content: unknown = base): Promise<Folder> {
  const file = await aFile(t, content)
  const folder = join(dirname(file), 'frontends.d')
  await mkdir(folder)
  await writeFile(join(folder, 'key.jwk'), JSON.stringify(generateSigningJwk('ES256')))
  const read = (environment: Environment = {}) => readConfiguration({ file, environment, state: 'look' })
  return {
    file,
    write: (name, text) =>
      writeFile(join(folder, name), typeof text === 'string' ? text : JSON.stringify(text, null, 2)),
    read,
    problems() {
      try {
        read()
        return []
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error
        return error.problems.map(({ where, pointer, problem }) => `${where} ${pointer} ${problem}`)
      }
    },
  }
}

const namesIn = ({ gateway }: Configuration) => gateway?.frontends.map(({ name }) => name)

test('each file of the folder is one frontend, after those of the configuration file, in the order of their names', async (t) => {
  const inline = frontend('inline', { ClientSigningKeyJwk: { File: 'frontends.d/key.jwk' } })
  const folder = await aFolder(t, { Bff: { ...base.Bff, Frontends: [inline] } })
  await folder.write('orders.json', frontend('orders', { $schema: 'x' }))
  await folder.write('invoices.json', `// With comments.\n${JSON.stringify(frontend('invoices'))}`)
  // What editors and mounted volumes put beside them.
  for (const name of ['.orders.json.swp', '.hidden.json', 'orders.json~', 'README.md']) await folder.write(name, '}')
  t.deepEqual(folder.problems(), [])
  t.deepEqual(namesIn(folder.read()), ['inline', 'invoices', 'orders'])
})

test('relative paths start at the folder that the file is in', async (t) => {
  const folder = await aFolder(t)
  await folder.write('orders.json', frontend('orders', { StaticFilesPath: 'spa' }))
  t.regex(folder.problems().join('\n'), /names spa, which is not a folder/)
  await mkdir(join(dirname(folder.file), 'frontends.d/spa'))
  await folder.write('spa/index.html', '<!doctype html>')
  t.is(folder.read().gateway?.frontends[0]?.staticFilesPath, join(dirname(folder.file), 'frontends.d/spa'))
})

test('a problem names the file and the pointer in it, wherever it is found', async (t) => {
  const folder = await aFolder(t)
  await folder.write('a.json', frontend('same'))
  await folder.write('b.json', frontend('same', { ClientSigningKeyJwk: { File: 'gone.jwk' }, Scops: [] }))
  await folder.write('c.json', '{ "Name": ')
  await folder.write('d.json', { Bff: { Frontends: [] } })
  await folder.write('e.json', [])
  const problems = folder.problems()
  const found = (expected: RegExp) =>
    t.true(
      problems.some((line) => expected.test(line)),
      `${expected} in\n${problems.join('\n')}`,
    )
  found(/^frontends\.d\/b\.json:\d+:3 \/Scops is not a known setting/)
  found(/^frontends\.d\/b\.json:\d+:\d+ \/ClientSigningKeyJwk\/File names gone\.jwk, which is not there/)
  found(/^frontends\.d\/b\.json:2:3 \/Name .*frontends\.d\/a\.json/)
  found(/^frontends\.d\/c\.json:1:\d+ {2}is not JSON/)
  found(/^frontends\.d\/d\.json:1:1 {2}is not one frontend/)
  found(/^frontends\.d\/e\.json:1:1 {2}is not one frontend/)
  const ofFiles = problems.filter((line) => /^frontends\.d\/[cde]\.json/.test(line))
  t.true(
    ofFiles.every((line) => /is not JSON|is not one frontend/.test(line)),
    `nothing follows from it: ${ofFiles.join('\n')}`,
  )
  t.false(
    problems.some((line) => line.includes('/Bff/Frontends')),
    problems.join('\n'),
  )
})

test('a folder that is not there, is none or is empty is said, once', async (t) => {
  const folder = await aFolder(t)
  t.regex(
    folder.problems().join(),
    /^frontends\.json:\S+ \/Bff\/FrontendsFolder names \.\/frontends\.d, which has no file that ends in \.json$/,
  )
  const place = join(dirname(folder.file), 'frontends.d')
  await rm(place, { recursive: true })
  t.regex(folder.problems().join(), /^\S+ \/Bff\/FrontendsFolder names \S+, which is not there$/)
  await writeFile(place, '')
  t.regex(folder.problems().join(), /^\S+ \/Bff\/FrontendsFolder names \S+, which is not a folder$/)
})

test('a pipe that nobody writes to, and what has no end, hold nobody up', async (t) => {
  const folder = await aFolder(t)
  const place = join(dirname(folder.file), 'frontends.d')
  await folder.write('a.json', frontend('a', { ClientSigningKeyJwk: { File: 'pipe.jwk' } }))
  execFileSync('mkfifo', [join(place, 'pipe.json'), join(place, 'pipe.jwk')])
  await symlink('/dev/zero', join(place, 'zero.json'))
  await writeFile(join(place, 'large.json'), ' '.repeat(16_777_217))
  const text = folder.problems().join('\n')
  t.regex(text, /frontends\.d\/pipe\.json .*pipe\.json is a pipe, a socket or a device/)
  t.regex(text, /frontends\.d\/zero\.json .*zero\.json is a pipe, a socket or a device/)
  t.regex(text, /frontends\.d\/large\.json .*large\.json is larger than 16 MB/)
  t.regex(text, /a\.json:\S+ \/ClientSigningKeyJwk\/File names pipe\.jwk, which cannot be read/)
})

test('variables reach the list of the configuration file, not the folder', async (t) => {
  const folder = await aFolder(t)
  await folder.write('orders.json', frontend('orders'))
  const { gateway } = folder.read({
    Bff__Frontends__0__Name: 'added',
    Bff__Frontends__0__ClientId: 'added-bff',
    Bff__Frontends__0__PublicUrl: 'https://added.example.com',
    Bff__Frontends__0__ClientSigningKeyJwk__File: 'frontends.d/key.jwk',
  })
  t.deepEqual(
    gateway?.frontends.map(({ name, clientId }) => [name, clientId]),
    [
      ['added', 'added-bff'],
      ['orders', 'orders-bff'],
    ],
  )
})

test('what was read is read again from a snapshot, whatever has become of the files', async (t) => {
  const folder = await aFolder(t)
  await folder.write('orders.json', frontend('orders'))
  const files = createFiles()
  readConfiguration({ file: folder.file, environment: {}, state: 'look', files })
  const snapshot = structuredClone(files.snapshot())
  await rm(dirname(folder.file), { recursive: true })
  const again = readConfiguration({ file: folder.file, environment: {}, state: 'look', files: createFiles(snapshot) })
  t.deepEqual(namesIn(again), ['orders'])
})

test('a reload takes the keys over that it knows, and pauses after each frontend', async (t) => {
  const folder = await aFolder(t)
  for (const name of ['a', 'b', 'c'])
    await folder.write(`${name}.json`, frontend(name, { ClientSigningKeyJwk: generateSigningJwk('ES256') }))
  const running = folder.read()
  await folder.write('b.json', frontend('b', { ClientSigningKeyJwk: generateSigningJwk('ES256') }))
  const reading = readingConfiguration({ file: folder.file, environment: {}, state: 'look', running })
  let pauses = 0
  let step = reading.next()
  for (; step.done !== true; step = reading.next()) pauses++
  const keysIn = ({ gateway }: Configuration) =>
    gateway?.frontends.map(({ clientAuthentication: used }) => used.method === 'private_key_jwt' && used.keys[0])
  const [before = [], after = []] = [keysIn(running), keysIn(step.value)]
  t.deepEqual(
    after.map((key, index) => key !== undefined && key === before[index]),
    [true, false, true],
  )
  // In its file, by itself, as a plan, as options, and beside the others.
  t.true(pauses >= 5 * 3, `${pauses} pauses`)
  t.is(step.value.plan.keys.found.size, 3, 'the key that nothing names any more is kept')
})
