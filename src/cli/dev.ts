import { join, resolve } from 'node:path'
import { loadConfiguration } from '../config/load.js'
import { createLogger, logEvents } from '../telemetry/log.js'
import { packageRoot } from './package-root.js'
import { type Style, styleFor } from './report.js'
import { run } from './run.js'
import { stopOnSignal } from './start.js'

/** `sallyport dev`: the example, with its keys kept in the folder that it was called from. */
export async function dev(): Promise<void> {
  const configuration = loadConfiguration({
    file: join(packageRoot(), 'frontends.example.json'),
    environment: { ...process.env, Server__StateDirectory: resolve('.sallyport') },
  })
  logEvents(createLogger({ level: 'warn' }))
  const running = await run(configuration)
  const frontends = configuration.gateway?.frontends ?? []
  process.stdout.write(
    banner(
      frontends.map(({ name, publicUrl, pathPrefix }) => [name, `${publicUrl.origin}${pathPrefix}/`]),
      configuration.authorizationServer?.options.issuer.origin ?? '',
      styleFor(process.stdout),
    ),
  )
  stopOnSignal(running)
}

function banner(
  frontends: readonly (readonly [string, string])[],
  issuer: string,
  { bold, green, soft }: Style,
): string {
  const rows = frontends.map(([name, url]) => `  ${name.padEnd(8)} ${green(url)}`)
  return [
    '',
    `  ${bold('Sallyport')} is up. Open one of these in a browser:`,
    '',
    ...rows,
    '',
    `  Sign in as ${bold('alice')} with ${bold('wonderland')}, or as ${bold('bob')} with ${bold('builder')}.`,
    '',
    soft(`  Authorization server ${issuer}, sample API http://127.0.0.1:3002. Keys are kept in .sallyport/.`),
    soft('  Press Ctrl+C to stop.'),
    '',
    '',
  ].join('\n')
}
