import test from 'ava'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { attackCatalogue, runCase } from '../../src/dpop-validator/testing/attack.js'
import { startTestIssuer } from '../../src/dpop-validator/testing/test-issuer.js'
import { adapters } from './_apis.js'

const publicUrl = 'https://api.example'
const issuer = await startTestIssuer({ audience: publicUrl })
const apis = await Promise.all(
  Object.entries(adapters).map(async ([name, startApi]) => {
    const options = {
      issuer: issuer.issuer,
      audience: publicUrl,
      publicUrl,
      now: issuer.clock.now,
      jwks: { burst: 1000 },
      // Somebody listens: hints and events are made for every request.
      onEvent: () => undefined,
    }
    return { name, api: await startApi(createVerifier(options)) }
  }),
)
test.after.always(() => Promise.all([issuer, ...apis.map(({ api }) => api)].map((one) => one.close())))

/** What the framework sees to before us. */
const elsewhere: Readonly<Record<string, readonly RegExp[]>> = {
  // Its `Request` has a URL that was cleaned up, for the handler and for us alike.
  fetch: [/^148/, /^33$/, /^34b$/, /^3[568]/],
  // There can be no `Request` of it, so the server in between refuses.
  'fetch on Node': [/^35b$/, /^36/],
  // Its router answers 400 itself, before any hook.
  fastify: [/^148[ij]$/],
}

for (const { name, api } of apis) {
  const target = { url: `${api.origin}/orders/open?page=2`, publicUrl, issuer }

  for (const one of attackCatalogue) {
    const precision = elsewhere[name]?.some((id) => id.test(one.id)) ? 'refused' : 'exact'
    test.serial(`${name}: ${one.id} ${one.title}`, async (t) => {
      t.is(await runCase(one, { ...target, precision }), undefined)
    })
  }
}
