import { createFileStore } from '../../src/store/file-store.js'

/** Opens the file store of the folder that it is given, and does one operation per message. `signal` says something to the others. */
const store = await createFileStore({ path: process.argv[2] ?? '' })
const signal = (topic: string, message: string) => store.signals?.send(topic, message)
const operations = { ...store, signal }
process.on('message', async ({ id, operation, values }: { id: number; operation: 'get'; values: [string] }) => {
  const result = await operations[operation](...values)
  process.send?.({ id, result: result ?? null })
})
process.send?.({ id: 0 })
