import test from 'ava'
import { callByJava, javaVersion } from './_java-client.js'
import { runStack } from './_stack.js'

if ((await javaVersion()) === undefined) {
  test.skip("Java's HttpClient over plain http, where no java is installed", () => {})
} else {
  test("Java's HttpClient, which offers h2c with every request over plain http, gets its answers from every listener (RFC 9110 §7.8)", async (t) => {
    t.timeout(120_000)
    const stack = await runStack()
    t.teardown(() => stack.stop())
    const { gateway, authorizationServer, api, admin } = stack
    const answers = await callByJava([
      `GET ${new URL('/.well-known/openid-configuration', authorizationServer)}`,
      `GET ${new URL('/connect/jwks', authorizationServer)}`,
      `POST ${new URL('/connect/token', authorizationServer)} grant_type=client_credentials`,
      `GET ${new URL('/bff/user', gateway)}`,
      `POST ${new URL('/bff/logout', gateway)} a=1`,
      `GET ${new URL('/api/orders', gateway)}`,
      `POST ${new URL('/api/orders', gateway)} a=1`,
      `GET ${gateway}`,
      `GET ${api}`,
      `GET ${new URL('/metrics', admin)}`,
    ])
    for (const [index, expected] of [
      /^200 \{.*"issuer"/,
      /^200 \{"keys":\[/,
      /^40[01] \{"error":"invalid_(?:client|request)"/,
      /^200 \{"authenticated":false/,
      /^(?:200|204|303|401|403) /,
      /^401 .*bff\.session\.absent/,
      /^401 .*bff\.session\.absent/,
      /^200 .*<html/i,
      /^\d+ /,
      /^200 .*# HELP/,
    ].entries())
      t.regex(answers[index] ?? '', expected)
  })
}
