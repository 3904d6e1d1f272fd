import { noGateway, ofServer, type Requirement, type Subject } from './requirement.js'

const gateway = 'conformance/client/gateway-signing'
const login = 'gateway/oauth/message-signing'
const server = 'conformance/authorization-server/sallyport-signing'
const endpoints = 'authorization-server/message-signing'

/** §5.3.2, §5.4.2 and §5.5.2: what is asked of those who use it. */
export const messageSigningOfClients: readonly Requirement[] = [
  {
    section: '5.3.2-1',
    level: 'shall',
    requirement: 'All parameters of an authorization request are pushed inside a signed request object.',
    tests: [gateway, login],
    trials: /: pushed authorization request$/,
    assess: ofThose('signedRequests', 'UseSignedRequests', 'Client authentication alone is outside.'),
  },
  {
    section: '5.3.2-2, 3, 4, 5',
    level: 'shall',
    requirement: 'It has aud, nbf and exp, lives 60 minutes at most, and says its type.',
    tests: [gateway, login],
    assess: ofThose('signedRequests', 'UseSignedRequests', 'The issuer identifier; five minutes; oauth-authz-req+jwt.'),
  },
  {
    section: '5.4.2-1, 2',
    level: 'shall',
    requirement: 'Signed responses are asked for and verified (JARM).',
    tests: [gateway, 'attacks/forged-signed-response'],
    trials: /: metadata$/,
    assess: ofThose(
      'responseMode',
      'ResponseMode',
      'Before anything else is read; one without a signature is refused.',
    ),
  },
  {
    section: '5.5.2-1, 2',
    level: 'shall',
    requirement: 'APIs ask for signed introspection responses and verify them (RFC 9701).',
    tests: ['dpop-validator/issuer/introspection'],
    duty: 'Give the validator of an API that introspects tokens the option introspection.signed.',
    assess: () => ({
      status: 'operator',
      how: 'The validator does with introspection.signed; APIs are not in this file.',
    }),
  },
]

/** §5.3.1, §5.4.1 and §5.5.1: the authorization server. */
export const messageSigningOfServers: readonly Requirement[] = [
  {
    section: '5.3.1-1',
    level: 'shall',
    requirement: 'Signed request objects are required where requests are pushed, and verified.',
    tests: [server, 'attacks/forged-request-object'],
    assess: ofServer(required('requireSignedRequests', 'They are verified; they are required of')),
  },
  {
    section: '5.3.1-2, 3, 4, 5',
    level: 'shall',
    requirement: 'aud, nbf and exp are demanded, with 60 minutes at most, and the type is taken.',
    tests: [server, 'attacks/forged-request-object'],
    assess: ofServer('Refused when pushed; a text or a list for aud.'),
  },
  {
    section: '5.4.1-1',
    level: 'shall',
    requirement: 'Signed responses are required, and issued (JARM).',
    tests: [server, endpoints],
    assess: ofServer(required('requireSignedResponses', 'They are issued, errors too; they are required of')),
  },
  {
    section: '5.5.1-1',
    level: 'shall',
    requirement: 'Introspection responses that are JWTs are signed (RFC 9701).',
    tests: [endpoints],
    assess: ofServer('For who asks for that media type.'),
  },
]

/** Nobody has to sign: where no frontend does, there is nothing to assess. */
function ofThose(option: 'signedRequests' | 'responseMode', setting: string, how: string): Requirement['assess'] {
  return ({ frontends }) => {
    if (frontends.length === 0) return noGateway
    const using = frontends.filter(({ options }) => options[option] === true || options[option] === 'jwt')
    if (using.length === 0) return { status: 'absent', how: `${setting} is not used.` }
    const pointers = using.map(({ pointer }) => `${pointer}/${setting}`)
    const who =
      using.length === frontends.length ? 'Every frontend' : using.map(({ options }) => options.name).join(', ')
    return { status: 'met', how: `${who}. ${how}`, pointers }
  }
}

function required(option: 'requireSignedRequests' | 'requireSignedResponses', how: string) {
  return ({ configuration }: Subject): string => {
    const server = configuration.authorizationServer?.options
    const clients = server?.clients ?? []
    const those = clients
      .filter((client) => client[option] ?? server?.[option] ?? false)
      .map(({ clientId }) => clientId)
    const who = those.length === 0 ? 'no client' : those.length === clients.length ? 'every client' : those.join(', ')
    return `${how} ${who}.`
  }
}
