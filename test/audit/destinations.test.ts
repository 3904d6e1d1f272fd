import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { type AuditOptions, type AuditRecord, createAudit } from '../../src/audit/audit.js'
import { createEndpointDestination } from '../../src/audit/endpoint-destination.js'
import { openAuditFile } from '../../src/audit/file-destination.js'
import type { Losses } from '../../src/audit/losses.js'
import { publish } from '../../src/telemetry/events.js'
import { noteOrigin } from '../../src/telemetry/request-origin.js'
import { eventually } from '../_eventually.js'
import { listen } from '../gateway/_gateway.js'

const folder = await mkdtemp(join(tmpdir(), 'sallyport-audit-'))
test.after.always(() => rm(folder, { recursive: true, force: true }))

/** What is told of losses. */
function witness() {
  const seen = { lost: 0, causes: [] as string[], failed: 0, worked: 0 }
  const losses: Losses = {
    lost(records, cause) {
      seen.lost += records
      seen.causes.push(cause)
    },
    failed() {
      seen.failed += 1
    },
    works() {
      seen.worked += 1
    },
  }
  return { seen, losses }
}

/** One login, of this subject from this address. */
function record(options: AuditOptions, { subject = 'alice', address = '192.0.2.17', userAgent = 'a browser' } = {}) {
  const records: AuditRecord[] = []
  const audit = createAudit({ ...options, onRecord: (written) => void records.push(written) })
  noteOrigin('gateway', 'r-1', () => ({ address, userAgent }))
  publish({
    type: 'gateway.login.completed',
    frontend: 'app',
    requestId: 'r-1',
    subject,
    session: 'handle',
    stepUp: false,
    refreshable: true,
  })
  return audit.close().then(() => records[0] as AuditRecord)
}

test.serial('a person is named as it is asked', async (t) => {
  const hashKey = randomBytes(32)
  t.like(await record({}), { subject: 'alice', address: '192.0.2.17' })
  t.like(await record({ subject: 'masked', address: 'masked' }), { subject: 'al…', address: '192.0.2.x' })
  t.like(await record({ address: 'masked' }, { address: '2001:db8:1:2::3' }), { address: '2001:db8:1:x' })
  const one = await record({ subject: 'hashed', address: 'hashed', hashKey })
  const same = await record({ subject: 'hashed', hashKey })
  const other = await record({ subject: 'hashed', hashKey: randomBytes(32) })
  t.regex(one.subject ?? '', /^[\w-]{43}$/)
  t.is(one.subject, same.subject)
  t.not(one.subject, other.subject)
  t.not(one.address, '192.0.2.17')
  t.throws(() => createAudit({ subject: 'hashed' }), { instanceOf: TypeError, message: /hashKey/ })
  t.throws(() => createAudit({ endpoint: { url: new URL('http://siem.example') } }), { message: /https/ })
})

test.serial('what a caller sends stays one line of one record', async (t) => {
  const file = join(folder, 'injected.jsonl')
  const forged = 'x\n{"action":"logout"}\r\n\u2028\u202e'
  const written = await record({ file }, { subject: `eve${forged}`, userAgent: `agent${forged}${'y'.repeat(5000)}` })
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  t.is(lines.length, 1)
  t.deepEqual(JSON.parse(lines[0] ?? ''), written)
  t.notRegex(`${written.subject}${written.userAgent}`, /[\p{Cc}\u2028\u202e]/u)
  t.is(written.userAgent?.length, 300)
})

test.serial('a listener that throws is warned of, and changes nothing', async (t) => {
  const warned = new Promise((resolve) => process.once('warning', resolve))
  const audit = createAudit({
    onRecord() {
      throw new Error('no')
    },
  })
  t.notThrows(() => publish({ type: 'as.key.rotated', kid: 'k', algorithm: 'ES256' }))
  t.like(await warned, { message: 'no' })
  await audit.close()
})

test('a file is appended to, closed to others, and left behind when it is renamed', async (t) => {
  const file = join(folder, 'audit.jsonl')
  const { seen, losses } = witness()
  await writeFile(file, 'before\n', { mode: 0o600 })
  const first = openAuditFile(file, losses)
  first.write('one\n')
  first.close()
  const writer = openAuditFile(file, losses)
  await rename(file, `${file}.1`)
  writer.write('two\n')
  writer.write('three\n')
  writer.close()
  t.is(await readFile(`${file}.1`, 'utf8'), 'before\none\n')
  t.is(await readFile(file, 'utf8'), 'two\nthree\n')
  t.is((await stat(file)).mode & 0o777, 0o600)
  t.is(seen.lost, 0)
  t.throws(() => openAuditFile(join(folder, 'nowhere', 'audit.jsonl'), losses), { code: 'ENOENT' })
})

test('a file that cannot be written to costs its records, which are counted, until it can', async (t) => {
  const inner = await mkdtemp(join(folder, 'inner-'))
  const { seen, losses } = witness()
  const writer = openAuditFile(join(inner, 'audit.jsonl'), losses)
  await rm(inner, { recursive: true })
  writer.write('lost\n')
  await eventually(() => seen.lost === 1)
  t.deepEqual(seen.causes, ['ENOENT'])
  writer.close()
})

test('an endpoint gets everything in batches, with its token, however often it fails before', async (t) => {
  const bodies: string[] = []
  let answers: number[] = [503, 401]
  const on = await listen((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const status = answers.shift() ?? 204
      if (status === 204) bodies.push(body)
      t.is(request.headers.authorization, 'Bearer the-token')
      t.is(request.headers['content-type'], 'application/x-ndjson')
      response.writeHead(status).end()
    })
  })
  t.teardown(() => on.close())
  const { seen, losses } = witness()
  const url = new URL(on.url)
  const destination = createEndpointDestination(
    { url, token: 'the-token', batch: 3, gathering: 0, pauses: [0.01] },
    losses,
  )
  for (let i = 0; i < 7; i++) destination.write(`${i}\n`)
  await eventually(() => bodies.length === 3)
  t.deepEqual(bodies, ['0\n1\n2\n', '3\n4\n5\n', '6\n'])
  t.like(seen, { lost: 0, failed: 2 })

  answers = [400]
  destination.write('unacceptable\n')
  await eventually(() => seen.lost === 1)
  destination.write('fine\n')
  await destination.close(5)
  t.is(bodies.at(-1), 'fine\n', 'what is refused for good does not hold up what follows')
  t.deepEqual(seen.causes, ['unacceptable'])
})

test('an endpoint that is down keeps nothing waiting and loses what finds no room', async (t) => {
  const { seen, losses } = witness()
  const url = new URL('http://127.0.0.1:9')
  const destination = createEndpointDestination({ url, capacity: 5, gathering: 0 }, losses)
  const started = performance.now()
  for (let i = 0; i < 8; i++) destination.write(`${i}\n`)
  t.true(performance.now() - started < 2000)
  t.is(seen.lost, 3)
  await eventually(() => seen.failed > 0)
  await destination.close(1)
  t.is(seen.lost, 8, 'what could not be sent by the end is counted too')
})
