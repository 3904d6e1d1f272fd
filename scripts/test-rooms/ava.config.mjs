import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'

/*
 * AVA's configuration for the whole suite. AVA and the products cost a worker half a second of processor time, more than most
 * files' tests: so the files of a room share workers (room.mjs). A file that is run alone runs as it is written, by AVA's
 * configuration in package.json.
 */

/** Files per worker: few where programs and browsers are waited for. */
const filesPerWorker = { cli: 7, conformance: 5, flows: 5, server: 5, telemetry: 5 }
const filesPerWorkerElsewhere = 12

/** Rooms that take longest, most of them because they wait for programs: none is left alone at the end, with a processor idle. */
const first = ['flows', 'all', 'cli', 'deploy', 'conformance', 'server', 'telemetry', 'dpop-validator', 'attacks']

const tests = 'build/test'
const rooms = 'build/rooms'

/** `import test from 'ava'` below build/test is what room.mjs says. */
function replaceAva() {
  const home = `${tests}/node_modules/ava`
  mkdirSync(home, { recursive: true })
  writeFileSync(`${home}/package.json`, JSON.stringify({ type: 'module', exports: './ava.js' }))
  const room = "'../../../../scripts/test-rooms/room.mjs'"
  writeFileSync(
    `${home}/ava.js`,
    `import { test } from ${room}\nexport { registerCompletionHandler } from ${room}\nexport default test()\n`,
  )
}

/** Names of test files, without `.test.js`, by the folder that they are in. */
function filesByRoom() {
  const byRoom = new Map()
  for (const path of readdirSync(tests, { recursive: true }).sort()) {
    if (!path.endsWith('.test.js')) continue
    const room = path.includes('/') ? path.slice(0, path.indexOf('/')) : 'all'
    byRoom.set(room, [...(byRoom.get(room) ?? []), path.replace('.test.js', '')])
  }
  return byRoom
}

function writeRooms() {
  rmSync(rooms, { recursive: true, force: true })
  mkdirSync(rooms, { recursive: true })
  for (const [room, files] of filesByRoom()) {
    const size = filesPerWorker[room] ?? filesPerWorkerElsewhere
    for (let at = 0; at < files.length; at += size) writeRoom(room, at / size + 1, files.slice(at, at + size))
  }
}

function writeRoom(room, number, files) {
  const [file] = files
  if (files.length === 1) {
    writeFileSync(`${rooms}/${file.replaceAll('/', '.')}.test.js`, `import '../test/${file}.test.js'\n`)
    return
  }
  const loads = files.map((file) => `  '${file}': () => import('../test/${file}.test.js'),\n`)
  writeFileSync(
    `${rooms}/${room}.${number}.test.js`,
    `import { runTogether } from '../../scripts/test-rooms/room.mjs'\nawait runTogether({\n${loads.join('')}})\n`,
  )
}

/** What rsa-keys.mjs hands out. */
function writeRsaKeys() {
  const encoding = { type: 'pkcs8', format: 'pem' }
  const keys = Array.from(
    { length: 8 },
    () => generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: encoding }).privateKey,
  )
  writeFileSync(`${rooms}/rsa-keys.json`, JSON.stringify(keys))
}

function place(path) {
  const index = first.findIndex((room) => path.includes(`/${room}.`))
  return index < 0 ? first.length : index
}

replaceAva()
writeRooms()
writeRsaKeys()

// biome-ignore lint/style/noDefaultExport: AVA asks for it.
export default {
  files: [`${rooms}/*.test.js`],
  require: ['./scripts/test-rooms/rsa-keys.mjs'],
  sortTestFiles: (a, b) => place(a) - place(b) || a.localeCompare(b),
  workerThreads: true,
  concurrency: 3,
  timeout: '60s',
}
