import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashPassword } from '../authorization-server/sign-in/password.js'
import { isSecureUrl } from '../http/secure-url.js'
import { generateSigningJwk, publicHalf } from '../jose/jwk.js'

export interface InitResult {
  readonly created: readonly string[]
  /** What was there already and was left alone. */
  readonly kept: readonly string[]
  /** Of the user that was made with the embedded server. Shown once, and kept nowhere. */
  readonly password?: string
}

/** Whose authorization server: `embedded` in the same file, or the issuer identifier of another. */
export type InitServer = { readonly kind: 'embedded' } | { readonly kind: 'foreign'; readonly authority: string }

/** Writes a configuration to start from, with fresh keys. Never over a file that is there. */
export async function initialise(
  folder: string,
  server: InitServer = { kind: 'foreign', authority: 'https://auth.example.com' },
): Promise<InitResult> {
  if (server.kind === 'foreign') assertAuthority(server.authority)
  const created: string[] = []
  const kept: string[] = []
  const write = (name: string, content: string, mode: number): void => {
    const path = join(folder, name)
    if (existsSync(path)) {
      kept.push(name)
      return
    }
    writeFileSync(path, content, { mode, flag: 'wx' })
    created.push(name)
  }

  mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 })
  mkdirSync(join(folder, 'spa'), { recursive: true })
  if (server.kind === 'foreign') {
    const clientKey = generateSigningJwk('ES256')
    const hasKey = existsSync(join(folder, 'keys/client.jwk'))
    write('keys/client.jwk', `${JSON.stringify(clientKey)}\n`, 0o600)
    if (!hasKey) write('keys/client.public.jwk', `${JSON.stringify(publicHalf(clientKey))}\n`, 0o644)
  }
  write('keys/sealing.key', `${randomBytes(32).toString('base64url')}\n`, 0o600)
  write('spa/index.html', page, 0o644)
  const password = randomBytes(9).toString('base64url')
  write(
    'frontends.json',
    server.kind === 'embedded' ? withEmbeddedServer(await hashPassword(password)) : withAuthority(server.authority),
    0o644,
  )
  write('.gitignore', 'keys/\n.sallyport/\n', 0o644)
  const isMade = server.kind === 'embedded' && created.includes('frontends.json')
  return { created, kept, ...(isMade && { password }) }
}

function assertAuthority(authority: string): void {
  const url = URL.canParse(authority) ? new URL(authority) : undefined
  if (url === undefined || !isSecureUrl(url) || url.search !== '' || url.hash !== '')
    throw new Error(`--authority is the issuer identifier of your authorization server, as in https://auth.example.com`)
}

const head = `{
  // Every setting: docs/configuration.md. Try it: npx --no-install sallyport check
  "$schema": "./node_modules/sallyport/frontends.schema.json",
  "Server": {
    "Listen": "127.0.0.1:3000",
    "AdminListen": "127.0.0.1:9464"
  },
  "Bff": {`

const publicUrl = `// The origin that browsers see, and no other host is answered. In production: "https://app.example.com"
    "PublicUrl": "http://localhost:3000",
    "SealingKeys": [{ "File": "./keys/sealing.key" }],`

const application = `"StaticFilesPath": "./spa",
        // Your API. "Resource" is what its tokens have to be for: the audience that it expects.
        "Routes": [{ "Path": "/api", "Upstreams": ["http://127.0.0.1:8080"] }]
      }
    ]
  }`

function withAuthority(authority: string): string {
  return `${head}
    // The issuer identifier of your authorization server, character by character.
    "Authority": ${JSON.stringify(authority)},
    ${publicUrl}
    "Frontends": [
      {
        "Name": "app",
        // Register this client there with the public key in keys/client.public.jwk and the redirect URI
        // http://localhost:3000/bff/callback
        "ClientId": "my-bff",
        "ClientSigningKeyJwk": { "File": "./keys/client.jwk" },
        // Add "offline_access" where the server gives no refresh token without it (Auth0, Entra ID, Okta, OpenIddict).
        "Scopes": ["openid", "profile"],
        ${application}
}
`
}

function withEmbeddedServer(passwordHash: string): string {
  return `${head}
    ${publicUrl}
    "Frontends": [
      {
        // Its key and its registration at the server below are made at first start.
        "Name": "app",
        ${application},
  // The embedded authorization server.
  "OpenIddict": {
    "Issuer": "http://localhost:3001",
    "Seeding": {
      "Users": [
        {
          "Username": "alice",
          // Made by: npx --no-install sallyport keygen --password
          "PasswordHash": ${JSON.stringify(passwordHash)},
          "Claims": { "name": "Alice Liddell" }
        }
      ]
    }
  }
}
`
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>It works</title>
<main>
<h1>It works</h1>
<p>Put your built application here. <a href="bff/login">Sign in</a></p>
</main>
</html>
`
