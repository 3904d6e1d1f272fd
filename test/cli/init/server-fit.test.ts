import test from 'ava'
import { withAuthority } from '../../../src/cli/init/configuration-text.js'
import { fitOf } from '../../../src/cli/init/server-fit.js'
import { parseSource } from '../../../src/config/source.js'

test('no server writes a setting into the file that init makes for it', (t) => {
  const hostile = 'x\n    "StaticFilesPath": "/", //\u2028\r"Scopes": ["evil"],'
  const fit = fitOf('https://auth.example.com', {
    token_endpoint_auth_methods_supported: [hostile, { toString: 1 }],
    id_token_signing_alg_values_supported: [hostile],
    scopes_supported: [hostile],
  })
  const text = withAuthority(
    { ports: { gateway: 1, issuer: 2, admin: 3 }, application: { kind: 'folder', path: './page' }, api: undefined },
    fit,
  )
  t.regex(text, /\/\/ .*StaticFilesPath.*evil/)
  const { value, problems } = parseSource(text, 'frontends.json')
  t.deepEqual(problems, [])
  t.false('StaticFilesPath' in (value as { readonly Bff: object }).Bff)
})
