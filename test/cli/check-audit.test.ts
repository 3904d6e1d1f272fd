import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { tryAudit } from '../../src/cli/probe/audit.js'
import { readConfiguration } from '../../src/config/load.js'
import { aFile, aFolder } from '../config/_workspace.js'
import { aFrontend, listening } from './_checked.js'

/** What `check` says of where audit records go. */
async function audited(t: ExecutionContext, audit: object) {
  const file = await aFile(t, { ...aFrontend('https://auth.example.com'), Server: { Audit: audit } })
  return tryAudit(readConfiguration({ file, environment: {}, state: 'look' }))
}

test('check posts no record to the audit endpoint, as the gateway would post one', async (t) => {
  const asked: object[] = []
  const origin = await listening(t, async (request, response) => {
    const { method, url, headers } = request
    asked.push({ method, url, headers, body: await text(request) })
    response.writeHead(204).end()
  })
  const trials = await audited(t, { Endpoint: { Url: `${origin}/records`, Token: 'of-the-siem' } })
  t.like(trials, [{ subject: 'audit: endpoint', outcome: 'passed', result: `${origin} takes records` }])
  t.like(asked, [
    {
      method: 'POST',
      url: '/records',
      headers: { 'content-type': 'application/x-ndjson', authorization: 'Bearer of-the-siem' },
      body: '',
    },
  ])
})

for (const [status, outcome, remedy] of [
  [401, 'failed', /Server\.Audit\.Endpoint\.Token/],
  [403, 'failed', /Server\.Audit\.Endpoint\.Token/],
  [301, 'failed', /Is Url where records are posted/],
  [404, 'failed', /Is Url where records are posted/],
  [405, 'failed', /Is Url where records are posted/],
  [503, 'failed', /log of that server/],
  // Some want a record in each batch.
  [400, 'noted', /^$/],
] as const)
  test(`check says what an audit endpoint's ${status} means`, async (t) => {
    const origin = await listening(t, (_request, response) => void response.writeHead(status).end())
    const trials = await audited(t, { Endpoint: { Url: `${origin}/records` } })
    t.is(trials.length, 1)
    t.is(trials[0]?.outcome, outcome)
    t.regex(trials[0]?.result ?? '', new RegExp(` answers ${status}`))
    t.regex(trials[0]?.remedy ?? '', remedy)
  })

test('check says that an audit endpoint cannot be reached, and that a file can be written', async (t) => {
  const file = join(await aFolder(t), 'audit.jsonl')
  const trials = await audited(t, { File: file, Endpoint: { Url: 'http://127.0.0.1:9/records' } })
  t.like(trials, [
    { subject: 'audit: file', outcome: 'passed' },
    { subject: 'audit: endpoint', outcome: 'failed' },
  ])
  t.regex(trials[1]?.result ?? '', /cannot be reached: /)
  t.false(existsSync(file), 'it is not made by looking')
})
