import test from 'ava'
import { named } from '../../src/config/schema/other-words.js'
import { type JsonSchema, jsonSchema } from '../../src/config/schema/schema.js'
import { alternatives } from '../../src/config/schema/schema-walk.js'

function namesIn(schema: JsonSchema | undefined): readonly string[] {
  return alternatives(schema).flatMap(({ items, properties = {} }) => [
    ...Object.keys(properties),
    ...Object.values(properties).flatMap(namesIn),
    ...namesIn(items),
  ])
}

test('each name that another word leads to is that of a setting', (t) => {
  const names = new Set(namesIn(jsonSchema))
  for (const [word, meant] of Object.entries(named))
    for (const name of meant) t.true(names.has(name), `${word}: ${name}`)
})
