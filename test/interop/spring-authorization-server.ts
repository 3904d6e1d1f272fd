import { eventually } from '../_eventually.js'
import { freePorts } from '../flows/_stack.js'
import { authorityTrials } from './_authority-walk.js'
import { javaPrograms, springBootVersion } from './_java.js'
import { answers } from './_processes.js'
import { aStage } from './_stage.js'
import type { ForeignProgram } from './_walk.js'

/** With what makes it fit for FAPI 2.0; `stock`: without `iss`, which it does not have of itself. */
export function springAuthorizationServer(kind: 'with iss' | 'stock'): ForeignProgram {
  return {
    title: `Spring Authorization Server (Spring Boot ${springBootVersion}), ${kind}, as the authority`,
    needs: ['java', 'javac', 'mvn'],
    async begin() {
      const startJava = await javaPrograms()
      const stage = await aStage()
      const [port = 0] = await freePorts(1)
      const issuer = `http://localhost:${port}`
      const server = startJava('AuthorizationServer', {
        'server.address': '127.0.0.1',
        'server.port': String(port),
        issuer,
        gateway: stage.gateway,
        audience: stage.api,
        stock: String(kind === 'stock'),
      })
      const stop = async (): Promise<void> => {
        await stage.close()
        await server.stop()
      }
      try {
        const metadata = `${issuer}/.well-known/openid-configuration`
        await answers(server, metadata)
        const bff = kind === 'stock' ? { Profile: 'Baseline', RequireIssuerValidation: false } : {}
        await stage.open({ issuer, validator: { profile: 'spring' }, bff })
      } catch (error) {
        await stop()
        throw error
      }
      const published = async (): Promise<string> => (await fetch(`${issuer}/oauth2/jwks`)).text()
      const trials = authorityTrials(stage, {
        signIn: (browser, page) => browser.submit(page, { username: 'alice', password: 'wonderland' }),
        async rotateKeys() {
          const before = await published()
          server.child.stdin?.write('\n')
          await eventually(async () => (await published()) !== before, { within: 30 })
        },
      })
      return { trials, stop, output: () => `${server.output()}\n${stage.output()}` }
    },
  }
}
