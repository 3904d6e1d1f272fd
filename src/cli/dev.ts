import { join, resolve } from 'node:path'
import { readConfiguration } from '../config/load.js'
import { ConfigurationError } from '../errors.js'
import { packageRoot } from '../server/package.js'
import { run } from '../server/run.js'
import { createLogger, logEvents } from '../telemetry/log.js'
import { writeRefusals } from './refusal-lines.js'
import { type Style, styleFor } from './report.js'
import { stopOnSignal } from './start.js'

export interface DevOptions {
  /** Of the gateway; the authorization server and the sample API get the next two. Default: as the example says. */
  readonly port?: number
}

/** `sallyport dev`: the example, with its keys kept in the folder that it was called from. */
export async function dev({ port }: DevOptions = {}): Promise<void> {
  const stopSignals = stopOnSignal()
  const configuration = readConfiguration({
    file: join(packageRoot(), 'frontends.example.json'),
    environment: {
      ...(port !== undefined && moved(port)),
      ...process.env,
      Server__StateDirectory: resolve('.sallyport'),
    },
  })
  logEvents(createLogger({ level: 'warn' }))
  const running = await run(configuration).catch(moveAside)
  const frontends = configuration.gateway?.frontends ?? []
  process.stdout.write(
    banner(
      frontends.map(({ name, publicUrl, pathPrefix }) => [name, `${publicUrl.origin}${pathPrefix}/`]),
      configuration.authorizationServer?.options.issuer.origin ?? '',
      `http://127.0.0.1:${configuration.sampleApi?.listen.port}`,
      styleFor(process.stdout),
    ),
  )
  writeRefusals(process.stdout)
  // No balancer is in front of it.
  stopSignals.stops({ stop: () => running.stop() })
}

/** The example is not the user's to edit: a port that is taken is left to the program that has it. */
function moveAside(error: unknown): never {
  if (
    !(error instanceof ConfigurationError) ||
    (error.cause as NodeJS.ErrnoException | undefined)?.code !== 'EADDRINUSE'
  )
    throw error
  throw new ConfigurationError(
    error.problems.map((problem) => ({
      ...problem,
      remedy: 'Stop that program, perhaps another demo, or move this one: `npm start -- --port 4000`.',
    })),
    { cause: error },
  )
}

/** Everything that the example says of a port. Variables of the process go over these. */
function moved(port: number): Record<string, string> {
  const [front, issuer, api] = [port, port + 1, port + 2].map(String)
  return {
    Server__Listen: `127.0.0.1:${front}`,
    // A second demo beside the first: the system finds a free one.
    Server__AdminListen: '127.0.0.1:0',
    Bff__PublicUrl: `http://localhost:${front}`,
    Bff__Frontends__0__Routes__0__Upstreams__0: `http://127.0.0.1:${api}`,
    Bff__Frontends__1__Routes__0__Upstreams__0: `http://127.0.0.1:${api}`,
    OpenIddict__Issuer: `http://localhost:${issuer}`,
    OpenIddict__Listen: `127.0.0.1:${issuer}`,
    Authentication__OpenIddict__Listen: `127.0.0.1:${api}`,
    Authentication__OpenIddict__Issuer: `http://localhost:${issuer}`,
    Authentication__OpenIddict__Audience: `http://127.0.0.1:${api}`,
  }
}

function banner(
  frontends: readonly (readonly [string, string])[],
  issuer: string,
  sampleApi: string,
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
    soft(`  Authorization server ${issuer}, sample API ${sampleApi}. Keys are kept in .sallyport/.`),
    soft('  What is refused is told below; docs/errors.md explains the codes. Press Ctrl+C to stop.'),
    '',
    '',
  ].join('\n')
}
