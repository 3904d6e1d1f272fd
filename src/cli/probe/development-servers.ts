import { Agent, fetch } from 'undici'
import type { FrontendOptions } from '../../gateway/options.js'
import { adviceFor, noted, passed, reasonOf, type Trial } from './probe.js'

/** Whether the development servers run. A note only: they come and go while an application is written. */
export async function tryDevelopmentServers(frontends: readonly FrontendOptions[]): Promise<readonly Trial[]> {
  const urls = frontends.flatMap(({ developmentServer }) => developmentServer?.href ?? [])
  const dispatcher = new Agent({ connect: { timeout: 5000 } })
  try {
    return await Promise.all([...new Set(urls)].map((url) => tryDevelopmentServer(url, dispatcher)))
  } finally {
    await dispatcher.destroy()
  }
}

async function tryDevelopmentServer(url: string, dispatcher: Agent): Promise<Trial> {
  const subject = `development server ${url}`
  try {
    const { status, body } = await fetch(url, { dispatcher, redirect: 'manual', signal: AbortSignal.timeout(5000) })
    await body?.cancel()
    return passed(subject, `answers (${status})`)
  } catch (error) {
    const advice = adviceFor(error, { certificates: 'NODE_EXTRA_CA_CERTS' })
    return noted(
      subject,
      `cannot be reached: ${reasonOf(error)}`,
      `${advice} Until then every page is 502; npm run dev is the usual command.`,
    )
  }
}
