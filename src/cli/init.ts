import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateSigningJwk, publicHalf } from '../keys.js'

export interface InitResult {
  readonly created: readonly string[]
  /** What was there already and was left alone. */
  readonly kept: readonly string[]
}

/** Writes a configuration to start from, with fresh keys. Never over a file that is there. */
export function initialise(folder: string): InitResult {
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
  const clientKey = generateSigningJwk('ES256')
  const hasKey = existsSync(join(folder, 'keys/client.jwk'))
  write('keys/client.jwk', `${JSON.stringify(clientKey)}\n`, 0o600)
  if (!hasKey) write('keys/client.public.jwk', `${JSON.stringify(publicHalf(clientKey))}\n`, 0o644)
  write('keys/sealing.key', `${randomBytes(32).toString('base64url')}\n`, 0o600)
  write('spa/index.html', page, 0o644)
  write('frontends.json', configuration, 0o644)
  write('.gitignore', 'keys/\n.sallyport/\n', 0o644)
  return { created, kept }
}

const configuration = `{
  // Every setting: docs/configuration.md. Try it: npx --no-install sallyport check
  "$schema": "./node_modules/sallyport/frontends.schema.json",
  "Server": {
    "Listen": "127.0.0.1:3000",
    "AdminListen": "127.0.0.1:9464"
  },
  "Bff": {
    // The issuer identifier of your authorization server, character by character.
    "Authority": "https://auth.example.com",
    // The origin that browsers see.
    "PublicUrl": "https://app.example.com",
    "SealingKeys": [{ "File": "./keys/sealing.key" }],
    "Frontends": [
      {
        "Name": "app",
        // Register this client there with the public key in keys/client.public.jwk and the redirect URI
        // https://app.example.com/bff/callback
        "ClientId": "my-bff",
        "ClientSigningKeyJwk": { "File": "./keys/client.jwk" },
        "Scopes": ["openid", "profile", "offline_access"],
        "StaticFilesPath": "./spa",
        "Routes": [{ "Path": "/api", "Upstreams": ["http://127.0.0.1:8080"] }]
      }
    ]
  }
}
`

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
