import { isSecureUrl } from '../../http/secure-url.js'

/** What a configuration begins with. */
export interface InitChoices {
  readonly server: InitServer
  /** Of the pages. Default: a page to start with. */
  readonly application?: InitApplication
  /** Origin and optional base path of the API behind `/api`. Default: none yet. */
  readonly api?: URL
}

export type InitServer =
  | { readonly kind: 'embedded'; readonly user: FirstUser }
  /** Not yet known which. */
  | { readonly kind: 'none' }
  /** The issuer identifier of one that runs elsewhere. */
  | { readonly kind: 'foreign'; readonly authority: string }

export interface FirstUser {
  readonly name: string
  /** Default: one that is made, and shown once. */
  readonly password?: string
}

/** A folder that is there, or the origin of a development server. */
export type InitApplication =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'development server'; readonly url: URL }

/** The options of the command, as they were typed. */
export interface InitFlags {
  readonly embedded?: true
  readonly authority?: string
  readonly spa?: string
  readonly api?: string
}

export const firstUserName = 'alice'

/** @throws Error for what is no URL, or a folder without a page */
export function choicesOf(
  { embedded, authority, spa, api }: InitFlags,
  isPage: (folder: string) => boolean,
): InitChoices {
  const server: InitServer = embedded
    ? { kind: 'embedded', user: { name: firstUserName } }
    : authority === undefined
      ? { kind: 'none' }
      : { kind: 'foreign', authority: issuerOf(authority) }
  return {
    server,
    ...(spa !== undefined && { application: applicationOf(spa, isPage) }),
    ...(api !== undefined && { api: httpUrl(api, '--api is where your API listens, as in http://127.0.0.1:8080') }),
  }
}

/** People paste what they have: the address of the discovery document too. */
function issuerOf(text: string): string {
  const authority = text.replace(/\/?\.well-known\/(?:openid-configuration|oauth-authorization-server)$/, '')
  const complaint = '--authority is the issuer identifier of your authorization server, as in https://auth.example.com'
  const url = httpUrl(authority, complaint)
  if (!isSecureUrl(url)) throw new Error(complaint)
  return authority
}

function applicationOf(text: string, isPage: (folder: string) => boolean): InitApplication {
  if (/^https?:/i.test(text)) {
    const url = httpUrl(text, '--spa is a folder, or the origin of a development server, as in http://localhost:5173')
    return { kind: 'development server', url: new URL(url.origin) }
  }
  if (!isPage(text))
    throw new Error(
      `${text} has no index.html. Build the application first and name the folder that the build writes into; or name its development server, as in --spa http://localhost:5173`,
    )
  return { kind: 'folder', path: text }
}

function httpUrl(text: string, complaint: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== ''
  )
    throw new Error(complaint)
  return url
}

/** Puts a question to a person and gives the answer, without spaces around it. */
export type Ask = (question: string) => Promise<string>

/** For a person at a terminal who has said nothing yet: four questions, of which Enter answers each. */
export async function askForChoices(
  ask: Ask,
  askForPassword: () => Promise<string>,
  isPage: (folder: string) => boolean,
): Promise<InitChoices> {
  const authority = await ask('Your authorization server, by its issuer identifier (Enter: the embedded one): ')
  const user = authority === '' ? await askForUser(ask, askForPassword) : undefined
  const spa = await ask(
    'Your application: the folder it is built into, or its development server (Enter: a page to start with): ',
  )
  const api = await ask('Your API, as in http://127.0.0.1:8080 (Enter: none yet): ')
  const choices = choicesOf(
    {
      ...(authority === '' ? { embedded: true } : { authority }),
      ...(spa !== '' && { spa }),
      ...(api !== '' && { api }),
    },
    isPage,
  )
  return user === undefined ? choices : { ...choices, server: { kind: 'embedded', user } }
}

async function askForUser(ask: Ask, askForPassword: () => Promise<string>): Promise<FirstUser> {
  const name = (await ask(`Name of the first user (Enter: ${firstUserName}): `)) || firstUserName
  const own = await ask('A password of your own for this user? (y; Enter: one is made): ')
  return /^y/i.test(own) ? { name, password: await askForPassword() } : { name }
}
