import { loadDatabase } from './file-database.js'

/* A process of its own: reads all of a database that may be damaged, which may be the end of it. */

const [, , path = ''] = process.argv
const { open } = await loadDatabase()
const database = open<Buffer, string>({ path, encoding: 'binary', maxDbs: 4, readOnly: true })
for (const name of [...database.getKeys()])
  for (const _ of database.openDB<Buffer, string>({ name, encoding: 'binary' }).getRange());
