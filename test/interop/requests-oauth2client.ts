import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { cache } from './_cache.js'
import { clientWalk } from './_client-walk.js'
import { brought, start } from './_processes.js'
import type { ForeignProgram } from './_walk.js'

const source = resolve('test/interop/python')
const requirements = join(source, 'requirements.txt')
const [, version = 'unknown'] = readFileSync(requirements, 'utf8').split(/==|\n/)

export const requestsOauth2client: ForeignProgram = {
  title: `requests_oauth2client ${version} (Python) as a client of the embedded server`,
  needs: ['python3'],
  async begin() {
    const python = await environment()
    return clientWalk('plain', (parameters) => start(python, [join(source, 'client.py'), ...parameters]))
  },
}

/** The interpreter of a virtual environment with what `requirements.txt` names. */
async function environment(): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 16)
  const folder = join(await cache('python'), digest)
  const python = join(folder, 'bin', 'python')
  const done = join(folder, 'done')
  if (existsSync(done)) return python
  try {
    await brought('a virtual environment of Python', 'python3', ['-m', 'venv', folder], source)
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]
    await brought('what requirements.txt names', python, install, source)
    await brought('a mark', 'touch', [done], source)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return python
}
