import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { fileKind } from '../file-kind.js'
import type { FrontendPlan } from '../resolve/frontend-plan.js'
import type { Plan } from '../resolve/resolved.js'
import { problem, type Rule } from './rule.js'

export const folderRules: readonly Rule[] = [
  function* oneHomeForThePage({ frontends }) {
    for (const { pointer, settings } of frontends) {
      const places = (['StaticFilesPath', 'DevelopmentServer', 'ClientUrl'] as const).filter((name) => settings[name])
      if (places.length > 1)
        yield problem(
          `${pointer}/${places[0]}`,
          `and ${places.slice(1).join(' and ')} both say where the application is`,
          'Keep StaticFilesPath for a built application, DevelopmentServer while it is written, ClientUrl for one on another host.',
        )
    }
  },

  function* foldersArePublic(plan) {
    for (const { pointer, named, folder } of foldersOf(plan))
      if (fileKind(folder) === 'folder') {
        const [found] = privateThings(realpathSync(folder), plan)
        if (found !== undefined)
          yield problem(
            pointer,
            `names ${named}, of which every file is public, and ${found}`,
            builtFolder(folder) ?? 'Keep the built application in a folder of its own, with nothing else in it.',
          )
      }
  },

  function* foldersAreThere(plan) {
    for (const { pointer, named, folder, directory } of foldersOf(plan)) {
      if (fileKind(folder) !== 'folder')
        yield problem(
          pointer,
          `names ${named}, which is not a folder`,
          `Build the application first. Relative paths start at ${directory}.`,
        )
      else if (fileKind(join(folder, 'index.html')) !== 'file')
        yield problem(
          pointer,
          `names ${named}, which has no index.html: no page would open`,
          builtFolder(folder) ?? 'Name the folder that the build writes into: dist, build or out with most tools.',
        )
    }
  },
]

function foldersOf({ frontends }: Pick<Plan, 'frontends'>) {
  return frontends.flatMap(({ pointer, directory, settings }: FrontendPlan) => {
    const named = settings.StaticFilesPath ?? undefined
    return named === undefined
      ? []
      : [{ pointer: `${pointer}/StaticFilesPath`, named, folder: resolve(directory, named), directory }]
  })
}

/** What must not lie in a public folder, in words: first what this file names, then what looks like it. */
function* privateThings(folder: string, { file, stateDirectory, secretFiles, audit, store }: Plan): Generator<string> {
  if (file !== undefined && isInside(folder, realPlace(file))) yield `it holds the configuration file ${basename(file)}`
  const state = realPlace(stateDirectory)
  if (isInside(folder, state) || isInside(state, folder)) yield 'the keys in Server.StateDirectory are there too'
  if (audit?.file !== undefined && isInside(folder, realPlace(audit.file)))
    yield 'Server.Audit writes its records there'
  if (store.kind === 'file' && isInside(folder, realPlace(store.path))) yield 'sessions rest there (Store.File)'
  for (const { pointer, path } of secretFiles)
    if (isInside(folder, realPlace(path))) yield `it holds ${basename(path)}, the secret that ${pointer} names`
  for (const entry of readdirSync(folder))
    if (/^(?:\.git|\.svn|\.env.*|node_modules|package\.json)$/.test(entry))
      yield `it holds ${entry}: it is the folder of a project, not of a built application`
  for (const path of visibleFiles(folder))
    if (isPrivateKey(path)) yield `it holds ${relative(folder, path)}, a private key`
}

/** Files that would be served. So many and no more: a build is smaller, and a start must not walk through a whole disk. */
function visibleFiles(folder: string, most = 20_000): string[] {
  const files: string[] = []
  const folders = [folder]
  for (let next = folders.pop(); next !== undefined && files.length < most; next = folders.pop())
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue
      if (entry.isDirectory()) folders.push(join(next, entry.name))
      else if (entry.isFile()) files.push(join(next, entry.name))
    }
  return files
}

function isPrivateKey(path: string): boolean {
  if (/\.(?:p12|pfx|jks|keystore)$/i.test(path)) return true
  if (!/\.(?:pem|key|jwk|jwks)$|^id_(?:rsa|ecdsa|ed25519)$/i.test(basename(path)) || statSync(path).size > 65_536)
    return false
  return /PRIVATE KEY-----|"(?:d|k)"\s*:|^[A-Za-z0-9+/_-]{43}=?\s*$/.test(readFileSync(path, 'latin1'))
}

/** Where the application probably is. */
function builtFolder(folder: string): string | undefined {
  const built = ['dist', 'build', 'out', 'www'].find((name) => fileKind(join(folder, name, 'index.html')) === 'file')
  return built && `Name ${join(folder, built)}, where the built application is.`
}

/** With links followed as far as there is something. */
function realPlace(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return dirname(path) === path ? path : join(realPlace(dirname(path)), basename(path))
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path)
}
