import test from 'ava'
import { addressAsReturnUrl, loginUrlTo } from '../../../src/gateway/endpoints/login-url.js'
import { createFrontend } from '../../../src/gateway/frontend/frontend.js'
import { aFrontend } from '../_gateway.js'

const options = aFrontend({
  publicUrl: new URL('https://app.example.com'),
  authority: 'https://auth.example.com',
  pathPrefix: '/shop',
})
const frontend = createFrontend(options)

test('a login link comes back to the address that was asked for, with its query', (t) => {
  t.is(
    loginUrlTo(frontend, { returnUrl: addressAsReturnUrl(frontend, '/shop/api/a?b=1&c=2') }),
    '/shop/bff/login?returnUrl=%2Fshop%2Fapi%2Fa%3Fb%3D1%26c%3D2',
  )
})

for (const returnUrl of [
  '/shop/bff/sessions',
  '/shop//bff/logout',
  '//evil.example/',
  '/\\evil.example',
  `/${'a'.repeat(2048)}`,
])
  test(`a login link does not come back to ${returnUrl.slice(0, 40)}`, (t) => {
    t.is(loginUrlTo(frontend, { returnUrl: addressAsReturnUrl(frontend, returnUrl) }), '/shop/bff/login')
  })

test('a login link does not come back to an address of this host where the page is served elsewhere', (t) => {
  const elsewhere = createFrontend({ ...options, clientUrl: new URL('https://www.example.com') })
  t.is(loginUrlTo(elsewhere, { returnUrl: addressAsReturnUrl(elsewhere, '/shop/api') }), '/shop/bff/login')
  t.is(
    loginUrlTo(elsewhere, { returnUrl: 'https://www.example.com/a' }),
    '/shop/bff/login?returnUrl=https%3A%2F%2Fwww.example.com%2Fa',
  )
})

test('a login link says what the login has to ask for', (t) => {
  const parameters = { acr_values: 'gold silver', max_age: '60' }
  t.is(loginUrlTo(frontend, { parameters }), '/shop/bff/login?acr_values=gold+silver&max_age=60')
})
