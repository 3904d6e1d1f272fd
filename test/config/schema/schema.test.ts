import { readFile } from 'node:fs/promises'
import test from 'ava'
import { configurationReference } from '../../../src/config/schema/reference.js'
import { type JsonSchema, jsonSchema } from '../../../src/config/schema/schema.js'

test('frontends.schema.json is what the schema says (npm run build writes it)', async (t) => {
  t.deepEqual(JSON.parse(await readFile('frontends.schema.json', 'utf8')), JSON.parse(JSON.stringify(jsonSchema)))
})

test('the reference in docs/configuration.md is what the schema says', async (t) => {
  const page = await readFile('docs/configuration.md', 'utf8')
  const [, written = ''] = page.split('<!-- reference -->\n')
  t.is(written.trim(), configurationReference().trim(), 'npx sallyport schema --reference prints it')
})

for (const [pointer, setting] of settings('', jsonSchema))
  test(`${pointer} says what it does and what goes there`, (t) => {
    t.truthy(setting.description, 'a description')
    const isPlain = setting.type === 'boolean' || setting.enum !== undefined || setting.properties !== undefined
    const items = setting.items?.properties !== undefined
    const isObject = setting.type === 'object' || setting.anyOf !== undefined
    t.true(
      isPlain || items || isObject || setting.examples !== undefined || setting.default !== undefined,
      'an example',
    )
  })

function* settings(pointer: string, schema: JsonSchema): Generator<readonly [string, JsonSchema]> {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    yield [`${pointer}/${name}`, member]
    yield* settings(`${pointer}/${name}`, member)
    if (member.items !== undefined) yield* settings(`${pointer}/${name}/0`, member.items)
  }
}
