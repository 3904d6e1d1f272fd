import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { createFileStore } from '../../src/store/file-store.js'
import { storeContract } from './_store-contract.js'

const folder = await mkdtemp(join(tmpdir(), 'sallyport-file-store-'))
test.after.always(() => rm(folder, { recursive: true, force: true }))

storeContract('the file store', () => createFileStore({ path: folder }))
