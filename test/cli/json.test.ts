import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { aFile, aFolder } from '../config/_workspace.js'
import { aFrontend } from './_checked.js'
import { sallyport } from './_sallyport.js'

/** A command to old terminals, as ESC and `[31m` are to all, and what turns the writing around. */
const hostile = 'x\u009b31m\u202ey'

const controls = /(?!\n)\p{Cc}|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

test('JSON that a command prints or writes has no character that a terminal obeys, and says the same', async (t) => {
  const folder = await aFolder(t)
  const access = { Access: [{ Claim: 'group', AnyOf: [hostile] }] }
  const routes = { Routes: [{ Path: '/api', Upstreams: ['https://orders.example.com'] }] }
  const plain = await aFile(t, aFrontend('https://auth.example.com', { ...access, ...routes }))
  const file = join(folder, `${hostile}.json`)
  await rename(plain, file)
  const spoiled = await aFile(t, { Bff: { Frontends: [], [hostile]: 1 } })
  const report = join(folder, 'report.json')
  const printed = async (...words: string[]): Promise<string> => (await sallyport(words)).stdout
  const texts = {
    routes: await printed('routes', '--json', '--config', file),
    explain: await printed('explain', 'GET', 'http://localhost:3000/api', '--json', '--config', file),
    check: await printed('check', '--offline', '--json', '--config', spoiled),
    checked: await printed('check', '--offline', '--json', '--config', file, '--report', report),
    report: await readFile(report, 'utf8'),
  }
  for (const [what, text] of Object.entries(texts)) {
    t.notRegex(text, controls, what)
    t.true(JSON.stringify(JSON.parse(text)).includes(hostile), `${what} says it`)
  }
})
