import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileKind } from '../file-kind.js'
import { redisRules } from './redis-rules.js'
import { problem, type Rule } from './rule.js'

/** What to do where the file store cannot be: the two other ones. */
export const otherStores =
  'Name a folder that this user may write to, or choose another store: "Store": { "Memory": {} } keeps sessions in the process, and they end with it; "Store": { "Redis": { "Url": "redis://…" } } keeps them elsewhere.'

/** What to do about a file store that is damaged. */
export const wholeCopy =
  'Put back a whole copy of the folder, or move the folder away: what was in it is lost then, and users sign in again.'

export const storeRules: readonly Rule[] = [
  function* oneStore({ settings: { Store } }) {
    const [first, ...others] = Object.entries(Store).flatMap(([name, said]) => (said === undefined ? [] : [name]))
    for (const other of others)
      yield problem(`/Store/${other}`, `is a second store beside Store.${first}`, 'Keep one of the two.')
  },

  function* storeFolderCanBeWritten({ store, settings, stateDirectory }) {
    const said = settings.Store.File?.Path
    // A state directory that is a file is told of already.
    if (store.kind !== 'file' || (said === undefined && fileKind(stateDirectory) === 'file')) return
    const pointer = said === undefined ? '/Server/StateDirectory' : '/Store/File/Path'
    if (fileKind(store.path) === 'file' && said !== undefined)
      yield problem(
        pointer,
        `names ${store.path}, which is not a folder`,
        'Name a folder; it is made when it is not there.',
      )
    else if (!isWritable(store.path))
      yield problem(pointer, `is where sessions are to rest (${store.path}), which cannot be written to`, otherStores)
  },

  function* storeOfSeveralNeedsTheirKey({ store, settings }) {
    if (store.kind === 'redis' && settings.Bff?.SealingKeys.length === 0)
      yield problem(
        '/Bff/SealingKeys',
        'is missing: sessions are shared by several processes, and every one needs the same key',
        'Make one with `npx --no-install sallyport keygen --sealing` and write [{ "Env": "SEALING_KEY" }].',
      )
  },

  function* workersShareTheirStore({ store, settings }) {
    if (settings.Server.Workers > 1 && store.kind === 'memory')
      yield problem(
        '/Server/Workers',
        'is more than 1, and with Store.Memory each process would know only the sessions it made itself',
        'Leave Store out, or write "Store": { "Redis": { "Url": "redis://…" } }; or leave Workers out.',
      )
  },

  ...redisRules,
]

/** Whether it is a folder that may be written to, or can be made. */
function isWritable(path: string): boolean {
  if (!existsSync(path) && dirname(path) !== path) return isWritable(dirname(path))
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return fileKind(path) !== 'file'
  } catch {
    return false
  }
}
