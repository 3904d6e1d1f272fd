import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { Environment } from '../../src/config/environment.js'
import { readConfiguration } from '../../src/config/load.js'
import { ConfigurationError } from '../../src/errors.js'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { selfSigned } from '../http/_self-signed.js'
import { aFolder, load, problemsOf } from './_workspace.js'

/*
 * Forty files as they go wrong in life. Each is a right one with one thing changed; each is found with its pointer, the line
 * it is on and what to write instead.
 */

const clientKey = generateSigningJwk('ES256')
const otherKey = generateSigningJwk('ES256')

/** A gateway beside a foreign authorization server: one setting a line. */
function aGateway(): string {
  return `{
  "Server": {
    "Listen": "127.0.0.1:3000",
    "TrustedProxies": ["10.0.0.0/8"]
  },
  "Bff": {
    "Authority": "https://auth.example.com",
    "PublicUrl": "https://app.example.com",
    "SessionDuration": "01:00:00",
    "SessionAbsoluteMaxDuration": "08:00:00",
    "Frontends": [
      {
        "Name": "app",
        "ClientId": "my-bff",
        "ClientSigningKeyJwk": ${JSON.stringify(JSON.stringify(clientKey))},
        "Scopes": ["openid", "offline_access"],
        "Routes": [
          {
            "Path": "/api",
            "Upstreams": ["http://orders:8080"]
          }
        ]
      }
    ]
  }
}`
}

/** All three products in one file: one setting a line. */
function theWhole(): string {
  return `{
  "Bff": {
    "PublicUrl": "http://localhost:3000",
    "Frontends": [
      {
        "Name": "app",
        "ClientId": "my-bff",
        "ClientSigningKeyJwk": ${JSON.stringify(JSON.stringify(clientKey))}
      },
      {
        "Name": "admin",
        "PathPrefix": "/admin"
      }
    ]
  },
  "OpenIddict": {
    "Issuer": "http://localhost:3001",
    "Seeding": {
      "Applications": [
        {
          "ClientId": "my-bff",
          "SigningKeyJwk": ${JSON.stringify(JSON.stringify(publicHalf(clientKey)))},
          "Permissions": ["ept:authorization", "ept:pushed_authorization", "ept:token", "gt:authorization_code", "gt:refresh_token", "rst:code", "scp:openid", "scp:profile", "scp:email", "scp:offline_access"],
          "RedirectUris": ["http://localhost:3000/bff/callback"]
        }
      ],
      "Users": [
        {
          "Username": "alice",
          "PasswordHash": "$scrypt$ln=15,r=8,p=3$bQoexCDV1X/tzG5OEnJF+w$BEsAFn8n5CnwAQP5DLSNGHcr+Twy6xb0+3Q97sTUiOk"
        }
      ]
    }
  },
  "Authentication": {
    "OpenIddict": {
      "Issuer": "http://localhost:3001",
      "Audience": "my-api"
    }
  }
}`
}

interface Misconfiguration {
  readonly from: () => string
  /** What is replaced by what. */
  readonly change: readonly [string, string]
  /** A second change, that the first one needs. */
  readonly also?: readonly [string, string]
  readonly pointer: string
  /** Text on the line that is pointed at. */
  readonly line: string
  readonly problem: RegExp
  readonly remedy: RegExp
  readonly environment?: Environment
}

const finds = test.macro({
  title: (title = '') => title,
  async exec(t, { from, change, also, pointer, line, problem, remedy, environment }: Misconfiguration) {
    let wrong = from()
    for (const [before, after] of also === undefined ? [change] : [change, also]) {
      t.true(wrong.includes(before), 'the change applies')
      wrong = wrong.replace(before, () => after)
    }
    const problems = await problemsOf(t, wrong, environment)
    t.is(problems.length, 1, problems.map((each) => `${each.pointer}: ${each.problem}`).join('\n'))
    const [found] = problems
    t.is(found?.pointer, pointer)
    t.regex(found?.problem ?? '', problem)
    t.regex(found?.remedy ?? '', remedy)
    const [file, number] = (found?.where ?? '').split(':')
    t.is(file, 'frontends.json')
    t.true(wrong.split('\n')[Number(number) - 1]?.includes(line), `line ${number} has ${line}`)
    for (const secret of [clientKey.d, otherKey.d]) t.false(JSON.stringify(problems).includes(String(secret)))
  },
})

test('the right ones are right', async (t) => {
  await t.notThrowsAsync(load(t, aGateway()))
  await t.notThrowsAsync(load(t, theWhole()))
})

test('1. a misspelt member', finds, {
  from: aGateway,
  change: ['"ClientId"', '"ClientID"'],
  pointer: '/Bff/Frontends/0/ClientID',
  line: '"ClientID"',
  problem: /not a known setting/,
  remedy: /Did you mean "ClientId"\?/,
})
test('2. a member of another section', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app", "Listen": "127.0.0.1:1",'],
  pointer: '/Bff/Frontends/0/Listen',
  line: '"Name": "app"',
  problem: /not a known setting/,
  remedy: /Known here: Name, Hosts/,
})
test("3. a member of the original's that has no meaning here", finds, {
  from: aGateway,
  change: ['"Bff": {', '"Bff": {\n    "CsrfHmacKey": "x",'],
  pointer: '/Bff/CsrfHmacKey',
  line: '"CsrfHmacKey"',
  problem: /not a known setting/,
  remedy: /X-CSRF: 1/,
})
test('4. a member twice', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "Name": "app",'],
  pointer: '/Bff/Frontends/0/Name',
  line: '"Name": "app"',
  problem: /there twice/,
  remedy: /Keep one/,
})
test('5. a text where a flag belongs', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "UseDPoP": "true",'],
  pointer: '/Bff/Frontends/0/UseDPoP',
  line: '"UseDPoP"',
  problem: /is a text; true or false goes here/,
  remedy: /without quotes/,
})
test('6. a duration in another notation', finds, {
  from: aGateway,
  change: ['"01:00:00"', '"1h"'],
  pointer: '/Bff/SessionDuration',
  line: '"1h"',
  problem: /not a duration/,
  remedy: /^Write "01:00:00" \(hours, minutes, seconds\)\.$/,
})
test('7. a choice misspelt', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "ClientAuthenticationMethod": "private_key_jwt",'],
  pointer: '/Bff/Frontends/0/ClientAuthenticationMethod',
  line: '"private_key_jwt"',
  problem: /is not one of/,
  remedy: /Did you mean "PrivateKeyJwt"\?/,
})
test('8. a URL without a scheme', finds, {
  from: aGateway,
  change: ['"https://auth.example.com"', '"auth.example.com"'],
  pointer: '/Bff/Authority',
  line: '"auth.example.com"',
  problem: /not an absolute http or https URL/,
  remedy: /https:/,
})
test('9. an address without a port', finds, {
  from: aGateway,
  change: ['"127.0.0.1:3000"', '"127.0.0.1"'],
  pointer: '/Server/Listen',
  line: '"Listen"',
  problem: /not a host and a port/,
  remedy: /127\.0\.0\.1:3000/,
})
test('10. a path pattern', finds, {
  from: aGateway,
  change: ['"/api"', '"/api/{**rest}"'],
  pointer: '/Bff/Frontends/0/Routes/0/Path',
  line: '"Path"',
  problem: /not a plain path/,
  remedy: /"\/api"/,
})
test('11. a route without upstreams', finds, {
  from: aGateway,
  change: ['["http://orders:8080"]', '[]'],
  pointer: '/Bff/Frontends/0/Routes/0/Upstreams',
  line: '"Upstreams"',
  problem: /is empty/,
  remedy: /orders:8080/,
})
test('12. a frontend without a name', finds, {
  from: aGateway,
  change: ['"Name": "app",', ''],
  pointer: '/Bff/Frontends/0/Name',
  line: '{',
  problem: /is missing/,
  remedy: /Unique/,
})
test('13. plain http for the authorization server', finds, {
  from: aGateway,
  change: ['"https://auth.example.com"', '"http://auth.example.com"'],
  pointer: '/Bff/Authority',
  line: '"Authority"',
  problem: /plain http/,
  remedy: /https:\/\/auth\.example\.com/,
})
test('14. plain http for browsers', finds, {
  from: aGateway,
  change: ['"https://app.example.com"', '"http://app.example.com"'],
  pointer: '/Bff/PublicUrl',
  line: '"PublicUrl"',
  problem: /plain http/,
  remedy: /https:\/\/app\.example\.com/,
})
test('15. a public URL with a path', finds, {
  from: aGateway,
  change: ['"https://app.example.com"', '"https://app.example.com/app"'],
  pointer: '/Bff/PublicUrl',
  line: '"PublicUrl"',
  problem: /more than an origin/,
  remedy: /PathPrefix/,
})
test('16. no pushed requests under FAPI 2.0', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "UsePushedAuthorizationRequests": false,'],
  pointer: '/Bff/Frontends/0/UsePushedAuthorizationRequests',
  line: 'UsePushed',
  problem: /FAPI 2\.0 does not allow/,
  remedy: /"Profile": "Baseline"/,
})
test('17. no DPoP under FAPI 2.0', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "UseDPoP": false,'],
  pointer: '/Bff/Frontends/0/UseDPoP',
  line: 'UseDPoP',
  problem: /FAPI 2\.0 does not allow/,
  remedy: /"Profile": "Baseline"/,
})
test('18. a client secret under FAPI 2.0', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n "ClientAuthenticationMethod": "ClientSecretPost", "ClientSecret": "s",'],
  pointer: '/Bff/Frontends/0/ClientAuthenticationMethod',
  line: 'ClientSecretPost',
  problem: /FAPI 2\.0 does not allow/,
  remedy: /PrivateKeyJwt/,
})
test('18b. a client secret in Authorization: Basic under FAPI 2.0', finds, {
  from: aGateway,
  change: [
    '"Name": "app",',
    '"Name": "app",\n "ClientAuthenticationMethod": "ClientSecretBasic", "ClientSecret": "s",',
  ],
  pointer: '/Bff/Frontends/0/ClientAuthenticationMethod',
  line: 'ClientSecretBasic',
  problem: /is "ClientSecretBasic", which FAPI 2\.0 does not allow/,
  remedy: /PrivateKeyJwt/,
})
test('19. no issuer check under FAPI 2.0', finds, {
  from: aGateway,
  change: ['"Bff": {', '"Bff": {\n    "RequireIssuerValidation": false,'],
  pointer: '/Bff/RequireIssuerValidation',
  line: 'RequireIssuerValidation',
  problem: /RFC 9207/,
  remedy: /Leave it out/,
})
test('20. no key', finds, {
  from: aGateway,
  change: [`"ClientSigningKeyJwk": ${JSON.stringify(JSON.stringify(clientKey))},`, ''],
  pointer: '/Bff/Frontends/0/ClientSigningKeyJwk',
  line: '{',
  problem: /cannot prove who it is/,
  remedy: /sallyport keygen/,
})
test('21. the public key instead of the private one', finds, {
  from: aGateway,
  change: [JSON.stringify(JSON.stringify(clientKey)), JSON.stringify(JSON.stringify(publicHalf(clientKey)))],
  pointer: '/Bff/Frontends/0/ClientSigningKeyJwk',
  line: 'ClientSigningKeyJwk',
  problem: /not a private key/,
  remedy: /sallyport keygen/,
})
test('22. a key on a curve that FAPI 2.0 does not have', finds, {
  from: aGateway,
  change: [JSON.stringify(JSON.stringify(clientKey)), '{ "kty": "EC", "crv": "P-384", "x": "a", "y": "b", "d": "c" }'],
  pointer: '/Bff/Frontends/0/ClientSigningKeyJwk',
  line: 'ClientSigningKeyJwk',
  problem: /is not an EC P-256/,
  remedy: /sallyport keygen/,
})
test('23. a key in a file that is not there', finds, {
  from: aGateway,
  change: [JSON.stringify(JSON.stringify(clientKey)), '{ "File": "./keys/client.jwk" }'],
  pointer: '/Bff/Frontends/0/ClientSigningKeyJwk/File',
  line: 'ClientSigningKeyJwk',
  problem: /is not there/,
  remedy: /Relative paths start at/,
})
test('24. a key in a variable that is not set', finds, {
  from: aGateway,
  change: [JSON.stringify(JSON.stringify(clientKey)), '{ "Env": "CLIENT_KEY" }'],
  pointer: '/Bff/Frontends/0/ClientSigningKeyJwk/Env',
  line: 'ClientSigningKeyJwk',
  problem: /CLIENT_KEY, which is not set/,
  remedy: /Set CLIENT_KEY/,
})
test('25. a secret source misspelt', finds, {
  from: aGateway,
  change: [JSON.stringify(JSON.stringify(clientKey)), '{ "Environment": "CLIENT_KEY" }'],
  pointer: '/Bff/Frontends/0/ClientSigningKeyJwk',
  line: 'ClientSigningKeyJwk',
  problem: /does not fit/,
  remedy: /\{"Env": "…"\}/,
})
test('26. idle longer than absolute', finds, {
  from: aGateway,
  change: ['"01:00:00"', '"10:00:00"'],
  pointer: '/Bff/SessionDuration',
  line: '"SessionDuration"',
  problem: /longer than SessionAbsoluteMaxDuration/,
  remedy: /"08:00:00" at most/,
})
test('27. Redis without a sealing key', finds, {
  from: aGateway,
  change: ['"Bff": {', '"Store": { "Redis": { "Url": "redis://127.0.0.1" } },\n  "Bff": {'],
  pointer: '/Bff/SealingKeys',
  line: '"Bff"',
  problem: /every one needs the same key/,
  remedy: /keygen --sealing/,
})
test('28. a sealing key that is too short', finds, {
  from: aGateway,
  change: ['"Bff": {', '"Bff": {\n    "SealingKeys": ["c2hvcnQ"],'],
  pointer: '/Bff/SealingKeys/0',
  line: 'SealingKeys',
  problem: /not 32 bytes/,
  remedy: /keygen --sealing/,
})
test('29. everybody trusted as a proxy', finds, {
  from: aGateway,
  change: ['"10.0.0.0/8"', '"0.0.0.0/0"'],
  pointer: '/Server/TrustedProxies/0',
  line: 'TrustedProxies',
  problem: /trusts every address/,
  remedy: /your own proxies/,
})
test('30. two frontends of one name', finds, {
  from: theWhole,
  change: ['"Name": "admin"', '"Name": "App"'],
  pointer: '/Bff/Frontends/1/Name',
  line: '"Name": "App"',
  problem: /is the name of \/Bff\/Frontends\/0 too/,
  remedy: /a name of its own/,
})
test('31. two frontends at one place', finds, {
  from: theWhole,
  change: [',\n        "PathPrefix": "/admin"', ''],
  pointer: '/Bff/Frontends/1/PathPrefix',
  line: '{',
  problem: /never reached/,
  remedy: /another PathPrefix or other Hosts/,
})
test('32. hosts without the public one', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "Hosts": ["www.example.com"],'],
  pointer: '/Bff/Frontends/0/Hosts',
  line: '"Hosts"',
  problem: /does not have app\.example\.com/,
  remedy: /Add "app\.example\.com"/,
})
test('34. a folder that is not there', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "StaticFilesPath": "./dist",'],
  pointer: '/Bff/Frontends/0/StaticFilesPath',
  line: 'StaticFilesPath',
  problem: /not a folder/,
  remedy: /Build the application first/,
})
test('35. a private key for an application', finds, {
  from: theWhole,
  change: [JSON.stringify(JSON.stringify(publicHalf(clientKey))), JSON.stringify(JSON.stringify(clientKey))],
  pointer: '/OpenIddict/Seeding/Applications/0/SigningKeyJwk',
  line: 'SigningKeyJwk',
  problem: /holds the private member "d"/,
  remedy: /public JWK/,
})
test("36. an application with another key than its frontend's", finds, {
  from: theWhole,
  change: [JSON.stringify(JSON.stringify(publicHalf(clientKey))), JSON.stringify(publicHalf(otherKey))],
  pointer: '/OpenIddict/Seeding/Applications/0/SigningKeyJwk',
  line: 'SigningKeyJwk',
  problem: /not the public half of \/Bff\/Frontends\/0/,
  remedy: /leave this out/,
})
test('37. an unknown permission', finds, {
  from: theWhole,
  change: ['"rst:code"', '"rst:code", "ept:pushed_autorization"'],
  pointer: '/OpenIddict/Seeding/Applications/0/Permissions/6',
  line: 'Permissions',
  problem: /permission/,
  remedy: /ept:pushed_authorization/,
})
test('38. a permission that the frontend needs and does not have', finds, {
  from: theWhole,
  change: ['"scp:profile", ', ''],
  pointer: '/OpenIddict/Seeding/Applications/0/Permissions',
  line: 'Permissions',
  problem: /does not allow what \/Bff\/Frontends\/0 asks for/,
  remedy: /Add "scp:profile"/,
})
test('39. a redirect URI that is not the one used', finds, {
  from: theWhole,
  change: ['http://localhost:3000/bff/callback', 'http://localhost:3000/callback'],
  pointer: '/OpenIddict/Seeding/Applications/0/RedirectUris',
  line: 'RedirectUris',
  problem: /does not have http:\/\/localhost:3000\/bff\/callback/,
  remedy: /Add "http:\/\/localhost:3000\/bff\/callback"/,
})
test('40. a password instead of its hash', finds, {
  from: theWhole,
  change: ['$scrypt$ln=15,r=8,p=3$bQoexCDV1X/tzG5OEnJF+w$BEsAFn8n5CnwAQP5DLSNGHcr+Twy6xb0+3Q97sTUiOk', 'wonderland'],
  pointer: '/OpenIddict/Seeding/Users/0/PasswordHash',
  line: 'PasswordHash',
  problem: /not a password hash/,
  remedy: /keygen --password/,
})
test('41. the profile switched off', finds, {
  from: theWhole,
  change: ['"OpenIddict": {\n    "Issuer"', '"OpenIddict": {\n    "EnableFapi2Profile": false,\n    "Issuer"'],
  pointer: '/OpenIddict/EnableFapi2Profile',
  line: 'EnableFapi2Profile',
  problem: /nothing weaker/,
  remedy: /Leave it out/,
})
test('42. an API without an audience', finds, {
  from: theWhole,
  change: [',\n      "Audience": "my-api"', ''],
  pointer: '/Authentication/OpenIddict/Audience',
  line: '"OpenIddict"',
  problem: /is missing/,
  remedy: /made for/,
})
test("43. an API that trusts another issuer than the frontends'", finds, {
  from: theWhole,
  change: [
    '"Issuer": "http://localhost:3001",\n      "Audience"',
    '"Issuer": "http://localhost:3001/",\n      "Audience"',
  ],
  pointer: '/Authentication/OpenIddict/Issuer',
  line: 'Issuer',
  problem: /is not http:\/\/localhost:3001/,
  remedy: /Leave it out/,
})
test('44. a secret for an application', finds, {
  from: theWhole,
  change: ['"RedirectUris"', '"ClientSecret": "hush",\n          "RedirectUris"'],
  pointer: '/OpenIddict/Seeding/Applications/0/ClientSecret',
  line: 'ClientSecret',
  problem: /private_key_jwt or a certificate/,
  remedy: /Write null/,
})
test('45. a certificate that is not there', finds, {
  from: aGateway,
  change: ['"Server": {', '"Server": {\n    "Tls": { "CertFile": "cert.pem", "KeyFile": "frontends.json" },'],
  pointer: '/Server/Tls/CertFile',
  line: 'CertFile',
  problem: /cert\.pem/,
  remedy: /Relative paths start at/,
})
test('workers without a store that they share', finds, {
  from: aGateway,
  change: ['"Server": {', `"Store": { "Memory": {} },\n  "Server": {\n    "Workers": 2,`],
  pointer: '/Server/Workers',
  line: '"Workers"',
  problem: /only the sessions it made itself/,
  remedy: /Redis/,
  environment: { Bff__SealingKeys__0: Buffer.alloc(32, 1).toString('base64url') },
})
test('two stores', finds, {
  from: aGateway,
  change: ['"Server": {', `"Store": { "File": {}, "Memory": {} },\n  "Server": {`],
  pointer: '/Store/Memory',
  line: '"Memory"',
  problem: /second store beside Store.File/,
  remedy: /Keep one/,
})
test('a file store where no folder can be', finds, {
  from: aGateway,
  change: ['"Server": {', `"Store": { "File": { "Path": "./frontends.json/store" } },\n  "Server": {`],
  pointer: '/Store/File/Path',
  line: '"Path"',
  problem: /cannot be written to/,
  remedy: /"Store": \{ "Memory": \{\} \}.*"Store": \{ "Redis"/,
})
test('a listener for proxies that any machine may ask', finds, {
  from: aGateway,
  change: ['"127.0.0.1:3000",', '"127.0.0.1:3000",\n    "ForwardAuth": { "Listen": "0.0.0.0:4180" },'],
  pointer: '/Server/ForwardAuth/Listen',
  line: '"ForwardAuth"',
  problem: /none of them may ask/,
  remedy: /127\.0\.0\.1:4180/,
})
test('a proxy that may ask from everywhere', finds, {
  from: aGateway,
  change: ['"127.0.0.1:3000",', '"127.0.0.1:3000",\n    "ForwardAuth": { "TrustedProxies": ["0.0.0.0/0"] },'],
  pointer: '/Server/ForwardAuth/TrustedProxies/0',
  line: '"ForwardAuth"',
  problem: /trusts every address/,
  remedy: /range/,
})
test('an identity field that clients and proxies have other uses for', finds, {
  from: aGateway,
  change: ['"127.0.0.1:3000",', '"127.0.0.1:3000",\n    "ForwardAuth": { "IdentityFields": { "X-User": "sub" } },'],
  pointer: '/Server/ForwardAuth/IdentityFields/X-User',
  line: '"ForwardAuth"',
  problem: /does not begin with "X-Auth-"/,
  remedy: /X-Auth-Subject/,
})
test('a proxy that asks where browsers come', finds, {
  from: aGateway,
  change: ['"127.0.0.1:3000",', '"127.0.0.1:3000",\n    "ForwardAuth": { "Listen": "127.0.0.1:3000" },'],
  pointer: '/Server/ForwardAuth/Listen',
  line: '"ForwardAuth"',
  problem: /taken by another listener/,
  remedy: /port of its own/,
})
test('a validation of tokens that are for no one in particular', finds, {
  from: aGateway,
  change: [
    '"127.0.0.1:3000",',
    '"127.0.0.1:3000",\n    "ForwardAuth": { "Validate": { "Issuer": "https://a.example", "PublicUrls": ["https://b.example"] } },',
  ],
  pointer: '/Server/ForwardAuth/Validate/Audience',
  line: '"ForwardAuth"',
  problem: /is missing/,
  remedy: /made for/,
})
test('a validation of calls at a path', finds, {
  from: aGateway,
  change: [
    '"127.0.0.1:3000",',
    '"127.0.0.1:3000",\n    "ForwardAuth": { "Validate": { "Issuer": "https://a.example", "Audience": "b", "PublicUrls": ["https://b.example/api"] } },',
  ],
  pointer: '/Server/ForwardAuth/Validate/PublicUrls/0',
  line: '"ForwardAuth"',
  problem: /more than an origin/,
  remedy: /https:\/\/b\.example/,
})
test('a proxy for the way out that is no origin', finds, {
  from: aGateway,
  change: ['"Bff": {', '"Bff": {\n    "HttpProxy": { "Url": "proxy.example.com:3128" },'],
  pointer: '/Bff/HttpProxy/Url',
  line: '"HttpProxy"',
  problem: /not the origin of an HTTP proxy/,
  remedy: /http:\/\/proxy/,
})
test('an exception from it that is a range', finds, {
  from: aGateway,
  change: ['"Bff": {', '"Bff": {\n    "HttpProxy": { "Url": "http://proxy:3128", "NoProxy": ["10.0.0.0/8"] },'],
  pointer: '/Bff/HttpProxy/NoProxy/0',
  line: '"HttpProxy"',
  problem: /not a host/,
  remedy: /ranges are not known/,
})
test('a Unix socket without a proxy that is trusted there', finds, {
  from: aGateway,
  change: ['"127.0.0.1:3000"', '"unix:/run/sallyport/gateway.sock"'],
  pointer: '/Server/Listen',
  line: '"Listen"',
  problem: /every client would count as one/,
  remedy: /127\.0\.0\.1\/32/,
})
test('headers of connections from proxies of which none is trusted', finds, {
  from: aGateway,
  change: ['"TrustedProxies": ["10.0.0.0/8"]', '"ProxyProtocol": "V2"'],
  pointer: '/Server/ProxyProtocol',
  line: '"ProxyProtocol"',
  problem: /no proxy is trusted/,
  remedy: /TrustedProxies/,
})
test('an assertion of identity without a key to sign it', finds, {
  from: aGateway,
  change: [
    '["http://orders:8080"]',
    '["http://orders:8080"], "IdentityAssertion": { "Audience": "https://a.internal" }',
  ],
  pointer: '/Bff/AssertionKeys',
  line: '"Bff"',
  problem: /a route asserts the identity/,
  remedy: /keygen/,
})
for (const [what, change, member, problem, remedy] of [
  [
    'a Unix socket where the URL of the API goes',
    '"Upstreams": ["unix:/run/orders.sock"]',
    'Upstreams/0',
    /not an absolute http/,
    /into its Sockets/,
  ],
  [
    'a socket that is written as a path',
    '"Upstreams": ["http://orders"], "Sockets": ["/run/orders.sock"]',
    'Sockets/0',
    /not a Unix socket/,
    /Write "unix:\/run\/orders\.sock"/,
  ],
  [
    'no socket in the list',
    '"Upstreams": ["http://orders"], "Sockets": []',
    'Sockets',
    /is empty/,
    /leave Sockets out/,
  ],
  [
    'one socket twice',
    '"Upstreams": ["http://orders"], "Sockets": ["unix:/run/a.sock", "unix:/run/./a.sock"]',
    'Sockets/1',
    /there twice/,
    /Keep one/,
  ],
  [
    'sockets of two APIs',
    '"Upstreams": ["http://orders", "http://stock"], "Sockets": ["unix:/run/a.sock"]',
    'Upstreams',
    /lead to one/,
    /a route for each/,
  ],
  [
    'a socket with a path that is too long',
    `"Upstreams": ["http://orders"], "Sockets": ["unix:/${'a'.repeat(110)}"]`,
    'Sockets/0',
    /longer path/,
    /at most 103/,
  ],
] as const)
  test(what, finds, {
    from: aGateway,
    change: ['"Upstreams": ["http://orders:8080"]', change],
    pointer: `/Bff/Frontends/0/Routes/0/${member}`,
    line: '"Upstreams"',
    problem,
    remedy,
  })
test('the socket of the gateway itself as an upstream', finds, {
  from: () =>
    aGateway().replace('"127.0.0.1:3000"', '"unix:/run/gateway.sock"').replace('"10.0.0.0/8"', '"127.0.0.1/32"'),
  change: ['["http://orders:8080"]', '["http://orders"], "Sockets": ["unix:/run/gateway.sock"]'],
  pointer: '/Bff/Frontends/0/Routes/0/Sockets/0',
  line: '"Sockets"',
  problem: /is this gateway itself/,
  remedy: /on which the API listens/,
})
test('46. a comma forgotten', async (t) => {
  const problems = await problemsOf(t, aGateway().replace('"app",', '"app"'))
  t.is(problems[0]?.where, 'frontends.json:14:9')
  t.regex(problems[0]?.problem ?? '', /is not JSON: comma expected/)
})
test('47. no file at all', async (t) => {
  const { readConfiguration } = await import('../../src/config/load.js')
  const { ConfigurationError } = await import('../../src/errors.js')
  const file = `${await aFolder(t)}/nothing.json`
  const error = t.throws(() => readConfiguration({ file, environment: {} }), { instanceOf: ConfigurationError })
  t.regex(error?.problems[0]?.remedy ?? '', /sallyport init/)
  t.is(error?.problems.length, 1)
})

/* More that was found in trials: each with the setting that is meant. */
for (const [what, change, pointer, line, problem, remedy] of [
  [
    'a discovery document as Authority',
    ['"https://auth.example.com"', '"https://auth.example.com/t/.well-known/openid-configuration"'],
    '/Bff/Authority',
    '"Authority"',
    /discovery document/,
    /Write "https:\/\/auth\.example\.com\/t"/,
  ],
  [
    'the other discovery document',
    ['"https://auth.example.com"', '"https://auth.example.com/.well-known/oauth-authorization-server/t"'],
    '/Bff/Authority',
    '"Authority"',
    /discovery document/,
    /Write "https:\/\/auth\.example\.com\/t"/,
  ],
  [
    "Keycloak's endpoint as Authority",
    ['"https://auth.example.com"', '"https://auth.example.com/realms/x/protocol/openid-connect/token"'],
    '/Bff/Authority',
    '"Authority"',
    /Keycloak/,
    /Write "https:\/\/auth\.example\.com\/realms\/x"/,
  ],
  [
    'the gateway as its own authorization server',
    ['"https://auth.example.com"', '"https://app.example.com"'],
    '/Bff/Authority',
    '"Authority"',
    /own address/,
    /"OpenIddict"/,
  ],
  [
    'a page on another site',
    ['"Name": "app",', '"Name": "app",\n        "ClientUrl": "https://www.other.example",'],
    '/Bff/Frontends/0/ClientUrl',
    'ClientUrl',
    /another site/,
    /below one domain/,
  ],
  [
    'a page of another scheme',
    ['"Name": "app",', '"Name": "app",\n        "ClientUrl": "http://localhost:5173",'],
    '/Bff/Frontends/0/ClientUrl',
    'ClientUrl',
    /another site/,
    /one scheme/,
  ],
  [
    'an upstream that is the gateway, by its public name',
    ['http://orders:8080', 'https://app.example.com/v1'],
    '/Bff/Frontends/0/Routes/0/Upstreams/0',
    'Upstreams',
    /this gateway itself/,
    /where the API/,
  ],
  [
    'an upstream that is the gateway, by where it listens',
    ['http://orders:8080', 'http://localhost:3000'],
    '/Bff/Frontends/0/Routes/0/Upstreams/0',
    'Upstreams',
    /this gateway itself/,
    /where the API/,
  ],
  [
    'an upstream twice',
    ['"http://orders:8080"', '"http://orders:8080", "http://orders:8080/"'],
    '/Bff/Frontends/0/Routes/0/Upstreams/1',
    'Upstreams',
    /twice/,
    /Keep one/,
  ],
  [
    'an upstream that only listens',
    ['http://orders:8080', 'http://0.0.0.0:8080'],
    '/Bff/Frontends/0/Routes/0/Upstreams/0',
    'Upstreams',
    /no client calls it/,
    /http:\/\/127\.0\.0\.1:8080/,
  ],
  [
    'an upstream without a scheme',
    ['http://orders:8080', 'orders:8080'],
    '/Bff/Frontends/0/Routes/0/Upstreams/0',
    'Upstreams',
    /not an absolute/,
    /Write "http:\/\/orders:8080"/,
  ],
  [
    'an upstream with a password',
    ['http://orders:8080', 'http://user:hush@orders:8080'],
    '/Bff/Frontends/0/Routes/0/Upstreams/0',
    'Upstreams',
    /not an absolute/,
    /no place for a secret/,
  ],
  [
    'TLS settings for plain http',
    ['"Path": "/api",', '"Path": "/api", "Tls": { "ServerName": "orders" },'],
    '/Bff/Frontends/0/Routes/0/Tls',
    'Tls',
    /no upstream here is https/,
    /https:\/\//,
  ],
  [
    'a path with a pattern',
    ['"Path": "/api"', '"Path": "/api/{**rest}"'],
    '/Bff/Frontends/0/Routes/0/Path',
    '"Path"',
    /not a plain path/,
    /Write "\/api"/,
  ],
  [
    'a path with the prefix in it',
    [
      '"Routes": [\n          {\n            "Path": "/api",',
      '"PathPrefix": "/shop",\n        "Routes": [\n          {\n            "Path": "/shop/api",',
    ],
    '/Bff/Frontends/0/Routes/0/Path',
    '"Path"',
    /covers \/shop\/shop\/api/,
    /Write "\/api"/,
  ],
  [
    'a method in small letters',
    ['"Path": "/api",', '"Path": "/api", "Methods": ["get"],'],
    '/Bff/Frontends/0/Routes/0/Methods/0',
    'Methods',
    /capitals/,
    /Write "GET"/,
  ],
  [
    'a host with a scheme',
    ['"Name": "app",', '"Name": "app", "Hosts": ["https://App.example.com/"],'],
    '/Bff/Frontends/0/Hosts/0',
    'Hosts',
    /host name/,
    /Write "app\.example\.com"/,
  ],
  [
    'a port alone',
    ['"127.0.0.1:3000"', '"3000"'],
    '/Server/Listen',
    'Listen',
    /host and a port/,
    /"127\.0\.0\.1:3000" for this machine only/,
  ],
  [
    'scopes in one text',
    ['["openid", "offline_access"]', '"openid offline_access"'],
    '/Bff/Frontends/0/Scopes',
    'Scopes',
    /a list goes here/,
    /Write \["openid","offline_access"\]/,
  ],
  [
    'a day in hours',
    ['"08:00:00"', '"24:00:00"'],
    '/Bff/SessionAbsoluteMaxDuration',
    'Absolute',
    /not a duration/,
    /Write "1\.00:00:00" \(days/,
  ],
  [
    'a day and a half',
    ['"08:00:00"', '"36:00:00"'],
    '/Bff/SessionAbsoluteMaxDuration',
    'Absolute',
    /not a duration/,
    /Write "1\.12:00:00"/,
  ],
  [
    'an ISO duration',
    ['"08:00:00"', '"PT8H"'],
    '/Bff/SessionAbsoluteMaxDuration',
    'Absolute',
    /not a duration/,
    /Write "08:00:00"/,
  ],
  ['seconds', ['"08:00:00"', '28800'], '/Bff/SessionAbsoluteMaxDuration', 'Absolute', /a number/, /Write "08:00:00"/],
  [
    'hours and minutes',
    ['"08:00:00"', '"08:00"'],
    '/Bff/SessionAbsoluteMaxDuration',
    'Absolute',
    /not a duration/,
    /Write "08:00:00"/,
  ],
  [
    'no time to connect',
    ['"Path": "/api",', '"Path": "/api", "Timeouts": { "Connect": "00:00:00" },'],
    '/Bff/Frontends/0/Routes/0/Timeouts/Connect',
    'Connect',
    /no time/,
    /00:00:05/,
  ],
  [
    'a landing that is the login',
    ['"Name": "app",', '"Name": "app", "ErrorRedirectPath": "/bff/login",'],
    '/Bff/Frontends/0/ErrorRedirectPath',
    'ErrorRedirectPath',
    /round in circles/,
    /page of the application/,
  ],
  [
    'a page to close that is nowhere',
    ['"Name": "app",', '"Name": "app", "RequireLogin": "Page",'],
    '/Bff/Frontends/0/RequireLogin',
    'RequireLogin',
    /no page is served from here/,
    /Leave it out/,
  ],
  [
    'a way out of a failed login that leads into the next one',
    ['"Name": "app",', '"Name": "app", "ErrorRedirectPath": "/api/sign-in?failed",'],
    '/Bff/Frontends/0/ErrorRedirectPath',
    'ErrorRedirectPath',
    /would begin again/,
    /"TokenType": "None"/,
  ],
  [
    'a policy in two lines',
    ['"Name": "app",', '"Name": "app", "ContentSecurityPolicy": "default-src \'self\';\\n img-src *",'],
    '/Bff/Frontends/0/ContentSecurityPolicy',
    'ContentSecurityPolicy',
    /line breaks/,
    /one line/,
  ],
  [
    'a client identifier with a space',
    ['"my-bff"', '"my-bff "'],
    '/Bff/Frontends/0/ClientId',
    'ClientId',
    /ends with a space/,
    /Write "my-bff"/,
  ],
  [
    'a sign-out frame for sessions that have no sid',
    ['"Scopes": ["openid", "offline_access"],', '"Scopes": ["orders"],\n "UseFrontchannelLogout": true,'],
    '/Bff/Frontends/0/UseFrontchannelLogout',
    'UseFrontchannelLogout',
    /without the scope "openid" no session has a "sid"/,
    /Add "openid"/,
  ],
  [
    'an exchange of the token that a route does not carry',
    ['"Path": "/api",', '"Path": "/api", "TokenType": "Client", "TokenExchange": { "Audience": "orders" },'],
    '/Bff/Frontends/0/Routes/0/TokenExchange',
    'TokenExchange',
    /TokenType is "Client"/,
    /Leave one of the two out/,
  ],
  [
    'an exchange for nothing in particular',
    ['"Path": "/api",', '"Path": "/api", "TokenExchange": {},'],
    '/Bff/Frontends/0/Routes/0/TokenExchange',
    'TokenExchange',
    /what the token is for/,
    /Audience/,
  ],
  [
    'the scope of a user for the gateway itself',
    ['"Path": "/api",', '"Path": "/api", "TokenType": "Client", "Scopes": ["openid"],'],
    '/Bff/Frontends/0/Routes/0/Scopes/0',
    'Scopes',
    /needs a user/,
    /Leave it out/,
  ],
  [
    'an admin listener on every address of the same port',
    ['"Server": {', '"Server": {\n    "AdminListen": "0.0.0.0:3000",'],
    '/Server/AdminListen',
    'AdminListen',
    /that browsers use/,
    /port of its own/,
  ],
  [
    'a file as the state directory',
    ['"Server": {', '"Server": {\n    "StateDirectory": "./frontends.json",'],
    '/Server/StateDirectory',
    'StateDirectory',
    /not a folder/,
    /Name a folder/,
  ],
] as const)
  test(`found in trials: ${what}`, finds, { from: aGateway, change, pointer, line, problem, remedy })

test('what is no JSON in UTF-8 is one problem, with what it is and what to do', async (t) => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(aGateway(), 'utf16le')])
  for (const [name, content, problem, remedy] of [
    ['frontends.json', utf16, /not a text in UTF-8/, /UTF-16.*PowerShell/],
    ['frontends.json', Buffer.from(aGateway(), 'utf16le'), /not a text in UTF-8/, /UTF-16/],
    ['frontends.json', Buffer.from(aGateway().replace('app', 'k\xe4se'), 'latin1'), /not a text in UTF-8/, /encoding/],
    ['frontends.yaml', 'Bff:\n  Authority: https://auth.example.com\n', /is YAML/, /as JSON/],
    ['frontends.json', '# ours\nBff:\n  Authority: https://auth.example.com\n', /is YAML/, /as JSON/],
    ['frontends.json', '', /is empty/, /sallyport init/],
  ] as const) {
    const file = join(await aFolder(t), name)
    await writeFile(file, content)
    const problems = problemsIn(file)
    t.is(problems.length, 1, JSON.stringify(problems))
    t.regex(problems[0]?.problem ?? '', problem)
    t.regex(problems[0]?.remedy ?? '', remedy)
  }
  const folder = await aFolder(t)
  t.like(problemsIn(folder)[0], {
    problem: `${folder} is a folder`,
    remedy: `Name the file in it: --config ${join(folder, 'frontends.json')}`,
  })
  const file = join(await aFolder(t), 'frontends.json')
  await writeFile(file, `\ufeff${aGateway()}`)
  t.deepEqual(problemsIn(file), [], 'a byte order mark is passed over')
})

for (const [title, change, pointer, line, problem] of [
  [
    'a limit without its time',
    ['"Upstreams": ["http://orders:8080"]', '"Upstreams": ["http://orders:8080"],\n"RateLimits": [{ "Requests": 5 }]'],
    'Routes/0/RateLimits/0/Per',
    'RateLimits',
    /is missing/,
  ],
  [
    'a limit for no time at all',
    [
      '"Upstreams": ["http://orders:8080"]',
      '"Upstreams": ["http://orders:8080"],\n"RateLimits": [{ "Requests": 5, "Per": "00:00:00" }]',
    ],
    'Routes/0/RateLimits/0/Per',
    'RateLimits',
    /no whole number of seconds/,
  ],
  [
    'two limits for the same',
    [
      '"Name": "app",',
      '"Name": "app",\n"RateLimits": [{ "Requests": 5, "Per": "00:01:00" },\n{ "Requests": 7, "Per": "00:01:00" }],',
    ],
    'RateLimits/1',
    '"Requests": 7',
    /the same time and the same callers/,
  ],
  [
    'sessions of nobody in particular',
    ['"Scopes": ["openid", "offline_access"],', '"Scopes": ["orders"],\n"SessionsPerUser": { "Max": 3 },'],
    'SessionsPerUser',
    'SessionsPerUser',
    /without "openid"/,
  ],
  [
    'polling where no session is looked at',
    [
      '"Upstreams": ["http://orders:8080"]',
      '"Upstreams": ["http://orders:8080"], "TokenType": "None",\n"CountsAsUse": false',
    ],
    'Routes/0/CountsAsUse',
    'CountsAsUse',
    /no session is looked at/,
  ],
  [
    'a user’s scope for a token that may be the gateway’s own',
    [
      '"Upstreams": ["http://orders:8080"]',
      '"Upstreams": ["http://orders:8080"], "TokenType": "UserOrClient",\n"Scopes": ["openid"]',
    ],
    'Routes/0/Scopes/0',
    'openid',
    /needs a user/,
  ],
  [
    'a route that would get the scopes of the others',
    [
      '"Scopes": ["openid", "offline_access"],\n        "Routes": [',
      '"Scopes": [],\n        "Routes": [{ "Path": "/orders", "Upstreams": ["http://orders:8080"], "Scopes": ["orders"] },',
    ],
    'Routes/1/Scopes',
    '{',
    /the scopes of all other routes/,
  ],
] as const)
  test(`limits: ${title}`, finds, {
    from: aGateway,
    change,
    pointer: `/Bff/Frontends/0/${pointer}`,
    line,
    problem,
    remedy: /./,
  })

test('a key that is something else is told what it is, and not shown', async (t) => {
  const written = JSON.stringify(JSON.stringify(clientKey))
  for (const [value, problem, remedy] of [
    ['-----BEGIN PRIVATE KEY-----\nc4nary\n-----END PRIVATE KEY-----', /is PEM/, /crypto\.createPrivateKey/],
    ['./keys/client.jwk', /name of a file/, /\{"File": "…"\}/],
    [JSON.stringify({ keys: [clientKey] }), /key set/, /one of the keys/],
    [`${JSON.stringify(clientKey)}\n${JSON.stringify(clientKey)}`, /more than one JWK/, /Keep one/],
  ] as const) {
    const problems = await problemsOf(
      t,
      aGateway().replace(written, () => JSON.stringify(value)),
    )
    t.is(problems[0]?.pointer, '/Bff/Frontends/0/ClientSigningKeyJwk')
    t.regex(problems[0]?.problem ?? '', problem)
    t.regex(problems[0]?.remedy ?? '', remedy)
    t.false(/c4nary/.test(JSON.stringify(problems)) || JSON.stringify(problems).includes(String(clientKey.d)))
  }
})

function problemsIn(file: string) {
  try {
    readConfiguration({ file, environment: {}, state: 'look' })
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
}

for (const [number, setting, pointer, remedy] of [
  [
    'max_age as a number',
    '"AuthorizationParameters": { "max_age": 300 }',
    'AuthorizationParameters/max_age',
    /^Write "300"\.$/,
  ],
  [
    'languages as a list',
    '"AuthorizationParameters": { "ui_locales": ["de", "fr"] }',
    'AuthorizationParameters/ui_locales',
    /^Write "de fr"\.$/,
  ],
  [
    'values of a claim that are no texts',
    '"Access": [{ "Claim": "level", "AnyOf": [5] }]',
    'Access/0/AnyOf/0',
    /^Write "5"\.$/,
  ],
  [
    'a claim that ends with a space',
    '"Access": [{ "Claim": "roles", "AnyOf": ["staff "] }]',
    'Access/0',
    /Leave the space out/,
  ],
  ['a number of sessions alone', '"SessionsPerUser": 3', 'SessionsPerUser', /^Write \{ "Max": 3 \}\.$/],
  ['a switch with two names', '"RequireLogin": true', 'RequireLogin', /^Write "Page"\.$/],
  [
    'a way out that rules close',
    '"Access": [{ "Claim": "roles", "AnyOf": ["staff"] }], "ErrorRedirectPath": "/api/sorry"',
    'ErrorRedirectPath',
    /TokenType/,
  ],
] as const)
  test(`a value of another kind: ${number}`, finds, {
    from: aGateway,
    change: ['"Name": "app",', `"Name": "app",\n        ${setting},`],
    pointer: `/Bff/Frontends/0/${pointer}`,
    line: setting.slice(0, 12),
    problem: /./,
    remedy,
  })

test('a signed request without a key to sign it with', finds, {
  from: aGateway,
  change: ['"Bff": {', '"Bff": {\n    "Profile": "Baseline",'],
  also: [
    '"Name": "app",',
    '"Name": "app", "ClientAuthenticationMethod": "ClientSecretPost", "ClientSecret": "s",\n "UseSignedRequests": true,',
  ],
  pointer: '/Bff/Frontends/0/UseSignedRequests',
  line: 'UseSignedRequests',
  problem: /no key to sign requests with/,
  remedy: /Give it one/,
})
test('a signed request that is not pushed', finds, {
  from: aGateway,
  change: ['"Bff": {', '"Bff": {\n    "Profile": "Baseline",'],
  also: ['"Name": "app",', '"Name": "app", "UsePushedAuthorizationRequests": false,\n "UseSignedRequests": true,'],
  pointer: '/Bff/Frontends/0/UseSignedRequests',
  line: 'UseSignedRequests',
  problem: /not pushed/,
  remedy: /Push them/,
})
test('signed requests that the embedded server requires, and a frontend does not make', finds, {
  from: theWhole,
  change: [
    '"ClientId": "my-bff",\n          "Sign',
    '"ClientId": "my-bff", "RequireSignedRequests": true,\n          "Sign',
  ],
  pointer: '/Bff/Frontends/0/UseSignedRequests',
  line: '{',
  problem: /requires signed requests of this client/,
  remedy: /"UseSignedRequests": true/,
})
test('signed answers that the embedded server gives alone, and a frontend does not take', finds, {
  from: theWhole,
  change: [
    '"ClientId": "my-bff",\n          "Sign',
    '"ClientId": "my-bff", "RequireSignedResponses": true,\n          "Sign',
  ],
  pointer: '/Bff/Frontends/0/ResponseMode',
  line: '{',
  problem: /signed answers only/,
  remedy: /"ResponseMode": "jwt"/,
})
for (const method of ['ClientSecretPost', 'ClientSecretBasic'])
  test(`${method} at the embedded server, which knows no secrets`, finds, {
    from: theWhole,
    change: ['"Bff": {', '"Bff": {\n    "Profile": "Baseline",'],
    also: ['"Name": "admin",', `"Name": "admin", "ClientSecret": "s",\n "ClientAuthenticationMethod": "${method}",`],
    pointer: '/Bff/Frontends/1/ClientAuthenticationMethod',
    line: method,
    problem: /the embedded authorization server does not take/,
    remedy: /^Leave it out\.$/,
  })
test('an answer by another mode', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "ResponseMode": "form_post",'],
  pointer: '/Bff/Frontends/0/ResponseMode',
  line: 'ResponseMode',
  problem: /"query", "jwt"/,
  remedy: /^Write "query"\.$/,
})
test('a mode of answers among the parameters', finds, {
  from: aGateway,
  change: ['"Name": "app",', '"Name": "app",\n        "AuthorizationParameters": { "response_mode": "jwt" },'],
  pointer: '/Bff/Frontends/0/AuthorizationParameters/response_mode',
  line: 'response_mode',
  problem: /./,
  remedy: /^Write ResponseMode\.$/,
})

/* The trial of November 2026: sixty-two mistakes, of which these were not found, or not with the remedy that helps. */
const written = JSON.stringify(JSON.stringify(clientKey))
const keyOf = (change: object): readonly [string, string] => [written, JSON.stringify({ ...clientKey, ...change })]
for (const [what, change, pointer, line, problem, remedy] of [
  [
    'a key for another algorithm',
    keyOf({ alg: 'RS256' }),
    'Frontends/0/ClientSigningKeyJwk',
    'Jwk',
    /"RS256"/,
    /"ES256"/,
  ],
  [
    'a key for encryption',
    keyOf({ use: 'enc' }),
    'Frontends/0/ClientSigningKeyJwk',
    'Jwk',
    /encryption/,
    /"use": "sig"/,
  ],
  [
    'a key that may only verify',
    keyOf({ key_ops: ['verify'] }),
    'Frontends/0/ClientSigningKeyJwk',
    'Jwk',
    /may not sign/,
    /key_ops/,
  ],
  [
    'a key that was cut',
    keyOf({ d: String(clientKey.d).slice(0, 20) }),
    'Frontends/0/ClientSigningKeyJwk',
    'Jwk',
    /15 bytes/,
    /as a whole/,
  ],
  [
    'halves of two keys',
    keyOf({ x: otherKey.x, y: otherKey.y }),
    'Frontends/0/ClientSigningKeyJwk',
    'Jwk',
    /does not belong to its "x"/,
    /from one key/,
  ],
  [
    'a symmetric key',
    [written, JSON.stringify({ kty: 'oct', k: 'AAAA' })],
    'Frontends/0/ClientSigningKeyJwk',
    'Jwk',
    /symmetric/,
    /keygen/,
  ],
  [
    'an upstream at a port that there is not',
    ['http://orders:8080', 'http://orders:80800'],
    'Frontends/0/Routes/0/Upstreams/0',
    'Upstreams',
    /not an absolute/,
    /80800 is more than 65535/,
  ],
] as const)
  test(`of sixty-two: ${what}`, finds, {
    from: aGateway,
    change,
    pointer: `/Bff/${pointer}`,
    line,
    problem,
    remedy,
  })

for (const [what, from, change, pointer, line, problem, remedy] of [
  [
    'a port beyond all ports',
    aGateway,
    ['"127.0.0.1:3000"', '"127.0.0.1:99999"'],
    '/Server/Listen',
    'Listen',
    /host and a port/,
    /more than 65535/,
  ],
  [
    'a level by its longer name',
    aGateway,
    ['"Server": {', '"Server": {\n    "LogLevel": "warning",'],
    '/Server/LogLevel',
    'LogLevel',
    /not one of/,
    /"warn"/,
  ],
  [
    'an authority that is the issuer but for a slash',
    () => theWhole().replace(/,\s*\{\s*"Name": "admin",\s*"PathPrefix": "\/admin"\s*\}/, ''),
    ['"Bff": {', '"Bff": {\n    "Authority": "http://localhost:3001/",'],
    '/Bff/Authority',
    'Authority',
    /character by character/,
    /Write "http:\/\/localhost:3001"/,
  ],
  [
    'the same, where a frontend leaves to the embedded server what another one needs to be told',
    () =>
      JSON.stringify(
        {
          Bff: { PublicUrl: 'http://localhost:3000', Frontends: [{ Name: 'app' }] },
          OpenIddict: { Issuer: 'http://localhost:3001', Listen: '127.0.0.1:3001' },
        },
        null,
        2,
      ),
    ['"Bff": {', '"Bff": {\n    "Authority": "http://localhost:3001/",'],
    '/Bff/Authority',
    'Authority',
    /character by character/,
    /Write "http:\/\/localhost:3001"/,
  ],
  [
    'a type of authorization details with a capital letter',
    aGateway,
    ['"Name": "app",', '"Name": "app", "AuthorizationDetails": [{ "Type": "payment" }],'],
    '/Bff/Frontends/0/AuthorizationDetails/0/type',
    '',
    /is missing/,
    /Write "type" for "Type"/,
  ],
  [
    'two keys of one name',
    theWhole,
    [
      '"Permissions"',
      `"RetiredSigningKeyJwks": [${JSON.stringify({ ...publicHalf(otherKey), kid: clientKey.kid })}],\n          "Permissions"`,
    ],
    '/OpenIddict/Seeding/Applications/0/RetiredSigningKeyJwks/0',
    'RetiredSigningKeyJwks',
    /another key by the "kid"/,
    /a "kid" of its own/,
  ],
] as const)
  test(`of sixty-two: ${what}`, finds, { from, change, pointer, line, problem, remedy })

test('of sixty-two: quotes of a word processor, and a variable with single underscores', async (t) => {
  const [quotes] = await problemsOf(t, aGateway().replace('"Name"', '\u201cName\u201d'))
  t.regex(quotes?.remedy ?? '', /straight quotes/)
  const variables = await problemsOf(t, aGateway(), { Bff_Frontends_0_ClientId: 'x', STORE_FILE: 'of another program' })
  t.is(variables.length, 1)
  t.like(variables[0], { where: 'Bff_Frontends_0_ClientId', remedy: 'Write Bff__Frontends__0__ClientId.' })
})

// Of 142 that were tried with the newest settings: those that were not found, or at the wrong place, or without a remedy that helps.
for (const [what, from, change, pointer, line, problem, remedy] of [
  [
    'a setting of Bff in a frontend',
    aGateway,
    ['"Name": "app",', '"Name": "app",\n "RevokeEndedSessions": true,'],
    '/Bff/Frontends/0/RevokeEndedSessions',
    'RevokeEndedSessions',
    /not a known setting/,
    /^Write it in Bff, where it is known\.$/,
  ],
  [
    'a setting of a route in its frontend',
    aGateway,
    ['"Name": "app",', '"Name": "app",\n "BodyLimit": 1000,'],
    '/Bff/Frontends/0/BodyLimit',
    'BodyLimit',
    /not a known setting/,
    /^Write it in Bff\.Frontends\[\]\.Routes\[\], where/,
  ],
  [
    'a setting of a route without its last letter, which is the name of one of its health check',
    aGateway,
    ['"Path": "/api",', '"Path": "/api",\n "Timeout": "00:00:05",'],
    '/Bff/Frontends/0/Routes/0/Timeout',
    'Timeout',
    /not a known setting/,
    /^Did you mean "Timeouts"\?$/,
  ],
  [
    'a setting of Server in Bff',
    aGateway,
    ['"Bff": {', '"Bff": {\n    "Audit": {},'],
    '/Bff/Audit',
    'Audit',
    /not a known setting/,
    /^Write it in Server, where/,
  ],
  [
    'a setting of the process in Bff that other servers have, too',
    aGateway,
    ['"Bff": {', '"Bff": {\n    "Tls": { "CertFile": "a.pem", "KeyFile": "a.key" },'],
    '/Bff/Tls',
    'Tls',
    /not a known setting/,
    /^Write it in Server, where/,
  ],
  [
    'a word of other sections for what is called Authority here',
    aGateway,
    ['"Name": "app",', '"Name": "app",\n "Authorities": [{ "Name": "bank",\n "Issuer": "https://bank.example" }],'],
    '/Bff/Frontends/0/Authorities/0/Issuer',
    'Issuer',
    /not a known setting/,
    /^It is called "Authority" here\.$/,
  ],
  [
    'what others call Upstreams, which is then not missing as well',
    aGateway,
    ['"Upstreams"', '"target"'],
    '/Bff/Frontends/0/Routes/0/target',
    'target',
    /not a known setting/,
    /^It is called "Upstreams" here\.$/,
  ],
  [
    'what is always the same, and a setting elsewhere',
    aGateway,
    ['"Name": "app",', '"Name": "app",\n "RedirectUri": "https://app.example.com/cb",'],
    '/Bff/Frontends/0/RedirectUri',
    'RedirectUri',
    /not a known setting/,
    /^Leave it out: it is always `\{PublicUrl\}\{PathPrefix\}\/bff\/callback`/,
  ],
  [
    'a path where an object goes that needs a path',
    aGateway,
    ['"Path": "/api",', '"Path": "/api",\n "HealthCheck": "/healthz",'],
    '/Bff/Frontends/0/Routes/0/HealthCheck',
    'HealthCheck',
    /^is a text; an object goes here$/,
    /^Write \{ "Path": "\/healthz" \}\.$/,
  ],
  [
    'a path where an object goes that needs a number',
    aGateway,
    ['"Name": "app",', '"Name": "app",\n "SessionsPerUser": "/one",'],
    '/Bff/Frontends/0/SessionsPerUser',
    'SessionsPerUser',
    /^is a text; an object goes here$/,
    /^Write an object with Max, WhenFull\.$/,
  ],
  [
    'a text where an object goes that can be empty',
    aGateway,
    ['"Path": "/api",', '"Path": "/api",\n "Timeouts": "00:00:05",'],
    '/Bff/Frontends/0/Routes/0/Timeouts',
    'Timeouts',
    /^is a text; an object goes here$/,
    /^Write an object with Connect, ResponseHeaders, Idle, Total\.$/,
  ],
  [
    'an object where a list of them goes',
    aGateway,
    ['"Name": "app",', '"Name": "app",\n "RateLimits": { "Requests": 10, "Per": "00:01:00" },'],
    '/Bff/Frontends/0/RateLimits',
    'RateLimits',
    /^is an object; a list goes here$/,
    /^Write a list: \[\{ "Requests": …, "Per": … \}\]\.$/,
  ],
  [
    'a name that is none, of which the embedded server makes a client with a key',
    theWhole,
    ['"Name": "admin"', '"Name": "my admin"'],
    '/Bff/Frontends/1/Name',
    'my admin',
    /not a name/,
    /^Write it as in "admin"\.$/,
  ],
  [
    'a store as its URL',
    aGateway,
    ['"Bff": {', '"Store": "redis://redis:6379",\n  "Bff": {'],
    '/Store',
    'Store',
    /a text; an object goes here/,
    /^Write it as in \{"Redis":\{"Url":"redis:/,
  ],
  [
    'hosts without a proxy as a text with commas',
    aGateway,
    ['"Bff": {', '"Bff": {\n    "HttpProxy": { "Url": "http://proxy:3128",\n "NoProxy": "a.example,b.example" },'],
    '/Bff/HttpProxy/NoProxy',
    'NoProxy',
    /a list goes here/,
    /^Write \["a\.example","b\.example"\]\.$/,
  ],
  [
    'a name that one section alone has',
    aGateway,
    ['"Bff": {', '"Bff": {\n    "ThemeFile": "./theme.css",'],
    '/Bff/ThemeFile',
    'ThemeFile',
    /not a known setting/,
    /^Write it in Bff\.Branding, where/,
  ],
  [
    'signed requests for all, and a client with a secret',
    () =>
      aGateway().replace(
        /"ClientSigningKeyJwk": .*/,
        '"ClientAuthenticationMethod": "ClientSecretPost", "ClientSecret": "s",',
      ),
    ['"Bff": {', '"Bff": {\n    "Profile": "Baseline", "UseSignedRequests": true,'],
    '/Bff/UseSignedRequests',
    'UseSignedRequests',
    /no key to sign requests with/,
    /which a client with a secret cannot have/,
  ],
  [
    'a response mode by its name in JARM',
    aGateway,
    ['"Bff": {', '"Bff": {\n    "ResponseMode": "query.jwt",'],
    '/Bff/ResponseMode',
    'ResponseMode',
    /not one of/,
    /^Did you mean "jwt"\?$/,
  ],
  [
    'no server among several',
    aGateway,
    ['"Name": "app",', '"Name": "app",\n "Authorities": [],'],
    '/Bff/Frontends/0/Authorities',
    'Authorities',
    /is empty/,
    /^Write it as in \[\{"Name":"bank","Authority":"https:/,
  ],
  [
    'an admin token of one character',
    aGateway,
    ['"Server": {', `"Server": {\n    "AdminListen": "127.0.0.1:9464",\n "AdminToken": "${'a'.repeat(40)}",`],
    '/Server/AdminToken',
    'AdminToken',
    /a few characters again and again/,
    /openssl rand/,
  ],
  [
    'a hash key that repeats itself',
    aGateway,
    ['"Server": {', `"Server": {\n    "Audit": { "Subject": "Hashed",\n "HashKey": "${'1234'.repeat(10)}" },`],
    '/Server/Audit/HashKey',
    'HashKey',
    /a few characters again and again/,
    /openssl rand/,
  ],
  [
    'a sign-out frame at another origin than the client',
    theWhole,
    ['"RedirectUris"', '"FrontchannelLogoutUri": "https://other.example.com/logout",\n          "RedirectUris"'],
    '/OpenIddict/Seeding/Applications/0/FrontchannelLogoutUri',
    'FrontchannelLogoutUri',
    /another origin than all redirect URIs/,
    /below the address that the client takes its codes at/,
  ],
] as const)
  test(`of 142: ${what}`, finds, { from, change, pointer, line, problem, remedy })

const inRedis = (settings: object) => ({
  Store: { Redis: settings },
  Bff: {
    Authority: 'https://auth.example.com',
    PublicUrl: 'https://app.example.com',
    SealingKeys: ['AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    Frontends: [{ Name: 'app', ClientId: 'my-bff', ClientSigningKeyJwk: clientKey }],
  },
})

test('of 142: several servers in one URL of Redis, and nodes of which some speak TLS', async (t) => {
  const [list] = await problemsOf(t, inRedis({ Url: 'redis://a:6379,redis://b:6379' }))
  t.like(list, { pointer: '/Store/Redis/Url', problem: 'is not a Redis URL' })
  t.regex(list?.remedy ?? '', /several in Nodes, with "Topology"/)
  const [raw] = await problemsOf(t, inRedis({ Url: 'redis://:pa#ss@a:6379' }))
  t.regex(raw?.remedy ?? '', /have to be percent-encoded/)
  const forgotten = await problemsOf(t, inRedis({ Nodes: ['redis://a:26379'], Sentinel: { Name: 'mymaster' } }))
  t.deepEqual(
    forgotten.filter(({ pointer }) => pointer !== '/Store/Redis/Sentinel').map(({ pointer }) => pointer),
    ['/Store/Redis/Nodes'],
    'the topology is missing once, not the Url as well',
  )
  const mixed = await problemsOf(t, inRedis({ Topology: 'Cluster', Nodes: ['rediss://a:6379', 'redis://b:6379'] }))
  t.deepEqual(
    mixed.map(({ pointer, problem }) => `${pointer} ${problem}`),
    ['/Store/Redis/Nodes/1 is plain, and others are TLS'],
  )
})

test('of 142: a subject with slashes, as openssl prints it by itself', async (t) => {
  const folder = await aFolder(t)
  const { cert, key } = await selfSigned(['auth.example.com'])
  await writeFile(join(folder, 'a.pem'), cert)
  await writeFile(join(folder, 'a.key'), key)
  const file = join(folder, 'frontends.json')
  const content = {
    OpenIddict: {
      Issuer: 'http://localhost:3001',
      MutualTls: { Listen: '127.0.0.1:3443', Tls: { CertFile: 'a.pem', KeyFile: 'a.key' }, CaFile: 'a.pem' },
      Seeding: {
        Applications: [
          {
            ClientId: 'reports',
            Permissions: ['ept:token', 'gt:client_credentials'],
            TlsClientAuth: { SubjectDn: '/C=AT/CN=reports' },
          },
        ],
      },
    },
  }
  await writeFile(file, JSON.stringify(content))
  const [found, ...others] = problemsIn(file)
  t.deepEqual(others, [])
  t.is(found?.pointer, '/OpenIddict/Seeding/Applications/0/TlsClientAuth/SubjectDn')
  t.regex(found?.remedy ?? '', /^Write it as in "CN=reports,O=Example,C=AT": `openssl x509 /)
})

test('of 142: audit records and sessions in the public folder of a page', async (t) => {
  const folder = await aFolder(t)
  await mkdir(join(folder, 'spa'))
  await writeFile(join(folder, 'spa/index.html'), '')
  const file = join(folder, 'frontends.json')
  const [before, after] = ['"Name": "app",', '"Name": "app", "StaticFilesPath": "./spa",']
  for (const [own, reason] of [
    ['"Server": { "Audit": { "File": "./spa/audit.jsonl" },', 'Server.Audit writes its records there'],
    ['"Store": { "File": { "Path": "./spa/store" } },\n  "Server": {', 'sessions rest there (Store.File)'],
  ] as const) {
    await writeFile(file, aGateway().replace('"Server": {', own).replace(before, after))
    t.deepEqual(
      problemsIn(file).map(({ pointer, problem }) => `${pointer} ${problem}`),
      [`/Bff/Frontends/0/StaticFilesPath names ./spa, of which every file is public, and ${reason}`],
    )
  }
})
