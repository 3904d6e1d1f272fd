import { clientWalk } from './_client-walk.js'
import { nimbusVersion, startJava } from './_java.js'
import type { ForeignProgram } from './_walk.js'

export const nimbus: ForeignProgram = {
  title: `Nimbus oauth2-oidc-sdk ${nimbusVersion} (Java) as a client of the embedded server`,
  needs: ['java', 'javac', 'mvn'],
  begin: () => clientWalk((parameters) => startJava('NimbusClient', {}, parameters)),
}
