import test from 'ava'
import { parseJsonArray, parseJsonObject } from '../../src/jose/json-object.js'

for (const text of [
  '{"a":1,"a":1}',
  '{"a":1, "a":2}',
  '{"a":1,"\\u0061":2}',
  '{"x":{"b":1,"b":2}}',
  '{"x":[{"b":1},{"b":1,"b":2}]}',
  '{"a":"}","b":"{","a":2}',
  '{"a" : 1,"a" : 2}',
  '{"__proto__":1,"__proto__":2}',
])
  test(`refuses a repeated member: ${text}`, (t) => {
    t.is(parseJsonObject(text), undefined)
  })

for (const text of [
  '',
  'null',
  '[]',
  '1',
  '"x"',
  '{',
  '{}x',
  '\ufeff{}',
  '{"a":1,}',
  `{ "x":${'['.repeat(40)}${']'.repeat(40)}}`,
])
  test(`refuses what is no object, or too deep: ${text.slice(0, 20)}`, (t) => {
    t.is(parseJsonObject(text), undefined)
  })

for (const text of [
  '{}',
  '{ "a" : [ { "a" : 1 }, { "a" : 2 } ], "b" : { "a" : 3 } }',
  '{"a":"\\"a\\":1,","b":"\\\\"}',
  '{"constructor":1,"toString":2}',
  '{"a":1e2,"b":"\\u00e9"}',
])
  test(`takes each member that is there once: ${text}`, (t) => {
    t.deepEqual(parseJsonObject(text), JSON.parse(text))
  })

test('a member named __proto__ is a member', (t) => {
  const value = parseJsonObject('{"__proto__":{"polluted":true}}')
  t.deepEqual(Object.keys(value ?? {}), ['__proto__'])
  t.false('polluted' in {})
})

test('a list that others have written has each member once, and little depth', (t) => {
  t.deepEqual(parseJsonArray('[1,{"a":[2]}]'), [1, { a: [2] }])
  for (const text of ['{}', '[', '', '[{"a":1,"a":1}]', `${'['.repeat(40)}${']'.repeat(40)}`])
    t.is(parseJsonArray(text), undefined, text)
})
