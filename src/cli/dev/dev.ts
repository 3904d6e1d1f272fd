import { join, resolve } from 'node:path'
import { type Configuration, readConfiguration } from '../../config/load.js'
import { ConfigurationError } from '../../errors.js'
import { type Listener, listen } from '../../server/listener.js'
import { packageRoot } from '../../server/package.js'
import { run } from '../../server/run.js'
import { createLog, logEvents } from '../../telemetry/log.js'
import { writeRefusals } from '../refusal-lines.js'
import { type Style, styleFor } from '../report.js'
import { stopOnSignal } from '../start.js'
import { demoSettings, examplePort, inspectorPort, inspectorUrl } from './demo-settings.js'
import { createInspector } from './inspector/inspector.js'
import type { LocalCertificate } from './local-authority.js'
import { trustAdvice } from './trust-advice.js'

export interface DevOptions {
  /** Of the gateway; the authorization server, the sample API and the inspector get the next three. Default: as the example says. */
  readonly port?: number
  /** `https`: with a certificate for localhost that is made and kept. Default: `http`. */
  readonly scheme?: 'http' | 'https'
}

/** `sallyport dev`: the example, with its keys kept in the folder that it was called from. */
export async function dev({ port = examplePort, scheme = 'http' }: DevOptions = {}): Promise<void> {
  const stopSignals = stopOnSignal()
  const stateDirectory = resolve('.sallyport')
  const certificate = scheme === 'https' ? await madeCertificate(join(stateDirectory, 'https')) : undefined
  const configuration = watched(
    readConfiguration({
      file: join(packageRoot(), 'frontends.example.json'),
      environment: {
        ...demoSettings({ port, certificate }),
        ...process.env,
        Server__StateDirectory: stateDirectory,
      },
    }),
  )
  logEvents(createLog({ level: 'warn' }))
  const running = await run(configuration).catch(moveAside)
  const inspection = await inspect(configuration).catch(async (error: unknown) => {
    await running.stop()
    return moveAside(error)
  })
  const frontends = configuration.gateway?.frontends ?? []
  process.stdout.write(
    banner(
      {
        rows: frontends.map(({ name, publicUrl, pathPrefix }) => [name, `${publicUrl.origin}${pathPrefix}/`]),
        issuer: configuration.authorizationServer?.options.issuer.origin ?? '',
        sampleApi: `http://127.0.0.1:${configuration.sampleApi?.listen.port}`,
        inspector: inspection.url,
        advice: certificate === undefined ? [] : trustAdvice(certificate.caFile),
      },
      styleFor(process.stdout),
    ),
  )
  writeRefusals(process.stdout)
  // No balancer is in front of it.
  stopSignals.stops({
    async stop() {
      await inspection.stop()
      await running.stop()
    },
  })
}

/** The sample's page links to the inspector where there is one. */
export function watched(configuration: Configuration): Configuration {
  const { sampleApi, server } = configuration
  if (sampleApi === undefined) return configuration
  return { ...configuration, sampleApi: { ...sampleApi, watchedAt: inspectorUrl(server.listen.port) } }
}

interface Inspection {
  readonly url: string
  stop(): Promise<void>
}

/** On a listener of its own: another origin than the applications', and nothing of it is on their way. */
async function inspect(configuration: Configuration): Promise<Inspection> {
  const port = inspectorPort(configuration.server.listen.port)
  const inspector = createInspector(configuration)
  const listener: Listener = await listen({
    pointer: '/Server/Listen',
    address: { host: '127.0.0.1', port },
    isTraced: false,
    onRequest: inspector.onRequest,
  }).catch(async (error: unknown) => {
    await inspector.close()
    throw error
  })
  return {
    url: inspectorUrl(configuration.server.listen.port),
    async stop() {
      await inspector.close()
      await listener.drain(1)
    },
  }
}

/** Loaded only when it is asked for: certificates are made by a package that nothing else needs. */
async function madeCertificate(folder: string): Promise<LocalCertificate> {
  const { localCertificate } = await import('./local-authority.js')
  return localCertificate(folder)
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

interface BannerContent {
  readonly rows: readonly (readonly [name: string, url: string])[]
  readonly issuer: string
  readonly sampleApi: string
  readonly inspector: string
  /** Lines of their own. */
  readonly advice: readonly string[]
}

function banner({ rows, issuer, sampleApi, inspector, advice }: BannerContent, { bold, green, soft }: Style): string {
  return [
    '',
    `  ${bold('Sallyport')} is up. Open one of these in a browser:`,
    '',
    ...rows.map(([name, url]) => `  ${name.padEnd(8)} ${green(url)}`),
    '',
    `  ${bold('What happens then, message by message:')} ${green(inspector)}`,
    '',
    `  Sign in as ${bold('alice')} with ${bold('wonderland')}, or as ${bold('bob')} with ${bold('builder')}.`,
    '',
    ...(advice.length === 0 ? [] : [...advice.map((line) => `  ${line}`), '']),
    soft(`  Authorization server ${issuer}, sample API ${sampleApi}. Keys are kept in .sallyport/.`),
    soft('  What is refused is told below; docs/errors.md explains the codes. Press Ctrl+C to stop.'),
    '',
    '',
  ].join('\n')
}
