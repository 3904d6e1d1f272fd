import { clientWalk } from './_client-walk.js'
import { javaPrograms, nimbusVersion } from './_java.js'
import type { ForeignProgram } from './_walk.js'

/** `signed`: with FAPI 2.0 Message Signing and RFC 9396. */
export function nimbus(kind: 'plain' | 'signed'): ForeignProgram {
  const signed = kind === 'signed' ? ' with signed requests, signed responses and authorization_details,' : ''
  return {
    title: `Nimbus oauth2-oidc-sdk ${nimbusVersion} (Java)${signed} as a client of the embedded server`,
    needs: ['java', 'javac', 'mvn'],
    async begin() {
      const startJava = await javaPrograms()
      return clientWalk(kind, (parameters) => startJava('NimbusClient', {}, parameters))
    },
  }
}
