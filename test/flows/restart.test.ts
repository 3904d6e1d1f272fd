import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { type Stack, startStack } from './_stack.js'
import { createUserAgent, type UserAgent } from './_user-agent.js'

/** Resolves with the number of forms that it took: the second one asks for consent. */
async function login({ gateway }: Stack, agent: UserAgent): Promise<number> {
  let page = await agent.navigate(new URL('/bff/login', gateway))
  let forms = 0
  for (; page.url.origin !== gateway.origin; forms++)
    page = await agent.submit(page, forms === 0 ? { username: 'alice', password: 'wonderland' } : {})
  return forms
}
const called = async ({ gateway }: Stack, agent: UserAgent): Promise<number> =>
  (await agent.call(new URL('/api/orders', gateway), { headers: { Connection: 'close' } })).status

for (const [workers, signals] of [
  [1, ['SIGKILL', 'SIGTERM']],
  [2, ['SIGKILL']],
] as const)
  test(`a session outlives ${signals.join(' and ')}${workers > 1 ? ` of a program of ${workers} workers` : ''} with nothing said of a store; a logout and a consent do too`, async (t) => {
    t.timeout(120_000)
    const stack = await startStack({
      configure(configuration) {
        delete configuration.Store
        configuration.Server.Workers = workers
      },
    })
    t.teardown(stack.stop)
    const [agent, other, late] = [createUserAgent(), createUserAgent(), createUserAgent()]
    t.is(await login(stack, agent), 2)
    t.is(await login(stack, other), 1)
    t.deepEqual(await Promise.all([called(stack, agent), called(stack, other)]), [200, 200])
    t.is((await other.call(new URL('/bff/logout', stack.gateway), { method: 'POST' })).status, 200)

    for (const signal of signals) {
      await stack.restart(signal)
      t.is(await called(stack, agent), 200, signal)
      t.is(await called(stack, other), 401, signal)
    }
    t.is(await login(stack, late), 1, 'the consent is there still')
    const metrics = await (await fetch(new URL('/metrics', stack.admin))).text()
    t.regex(metrics, /^sallyport_store_records [1-9]/m)
    const folder = join(stack.folder, '.sallyport', 'store')
    t.is((await stat(folder)).mode & 0o777, 0o700)
  })
