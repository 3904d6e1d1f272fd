import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

export interface ShippedProgram {
  /** Where it really listens, in the order in which it says so. */
  readonly urls: readonly string[]
  /** Its exit code, whatever ended it. */
  readonly ended: Promise<number | null>
}

/**
 * `sallyport start` as users run it, with these files in a folder of its own, one of them `frontends.json`. Resolves once
 * it listens at so many places; the signal drains and ends it. What it logs goes to standard error.
 */
export async function startShippedProgram(
  files: Readonly<Record<string, string>>,
  places: number,
  signal: AbortSignal,
): Promise<ShippedProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-suite-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 })
  const child = spawn(
    process.execPath,
    [resolve('dist/main.js'), 'start', '--config', join(folder, 'frontends.json')],
    {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', Server__DrainDelay: '00:00:00' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a group of its own: Ctrl+C reaches us alone, and it drains once.
      detached: true,
    },
  )
  const stop = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  let complaint = ''
  child.stderr.on('data', (chunk) => (complaint += chunk))
  child.stderr.pipe(process.stderr, { end: false })
  const ended = once(child, 'close').then(async () => {
    await rm(folder, { recursive: true, force: true })
    return child.exitCode
  })
  const urls: string[] = []
  const listens = new Promise<void>((listening) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      process.stderr.write(`${line}\n`)
      const { msg, url } = JSON.parse(line) as { readonly msg: string; readonly url?: string }
      if (msg === 'server.started' && url !== undefined) urls.push(url)
      if (urls.length === places) listening()
    })
  })
  const failed = ended.then((code) => Promise.reject(new StartFailure(complaint, code)))
  await Promise.race([listens, failed])
  // From here on its end is no failure to start.
  failed.catch(() => undefined)
  return { urls, ended }
}

/** The program has ended before it listened. */
export class StartFailure extends Error {
  /** What it said on standard error. */
  readonly complaint: string

  constructor(complaint: string, code: number | null) {
    super(`the program has ended with ${code}`)
    this.complaint = complaint
  }
}
