import test from 'ava'
import { cookieField, isOwnCookie, ownCookieName } from '../../src/http/cookie.js'

const https = new URL('https://app.example.com')
const http = new URL('http://localhost:3000')

test('a cookie of ours is for this host alone, over TLS, and out of reach of scripts', (t) => {
  const name = ownCookieName('bff', 'shop', https)
  t.is(
    cookieField(name, 'abc', { sameSite: 'strict', maxAge: 60.9 }),
    '__Host-Http-bff-shop=abc; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Strict',
  )
  t.is(
    cookieField(name, 'abc', { sameSite: 'lax' }),
    '__Host-Http-bff-shop=abc; Path=/; HttpOnly; Secure; SameSite=Lax',
  )
})

test("a cookie of this machine's plain http has another name and no Secure, which WebKit would not keep", (t) => {
  const name = ownCookieName('as', 'session', http)
  t.is(
    cookieField(name, '', { sameSite: 'lax', maxAge: 0 }),
    'sallyport-as-session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
  )
  t.true(isOwnCookie(name))
})

test('a value that would end the cookie or the field is refused, not sent changed', (t) => {
  for (const value of ['a;b', 'a\r\nSet-Cookie: b=c', 'a\0', 'ä'])
    t.throws(() => cookieField('sallyport-bff-shop', value, { sameSite: 'lax' }), { instanceOf: TypeError }, value)
})
