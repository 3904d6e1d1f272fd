import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { explained } from './command.js'

export function initCommand(): Command {
  return new Command('init')
    .description('write a configuration to start from, with fresh keys; nothing is overwritten')
    .argument('[folder]', 'where', '.')
    .addOption(new Option('--embedded', 'with the embedded authorization server, and a user').conflicts('authority'))
    .option('--authority <url>', 'the issuer identifier of your authorization server')
    .action((folder: string, { embedded, authority }: { readonly embedded?: true; readonly authority?: string }) =>
      explained(async () => {
        const { initialise } = await import('../init.js')
        const server = embedded
          ? ({ kind: 'embedded' } as const)
          : authority === undefined
            ? undefined
            : ({ kind: 'foreign', authority } as const)
        const { created, kept, password } = await initialise(folder, server)
        for (const name of created) process.stdout.write(`made ${name}\n`)
        for (const name of kept) process.stdout.write(`left ${name} as it was\n`)
        const file = folder === '.' ? '' : ` --config ${join(folder, 'frontends.json')}`
        process.stdout.write(
          [
            '',
            ...(password === undefined ? [] : [`Sign in as alice with ${password}: it is shown this once.`]),
            ...(embedded || authority !== undefined
              ? []
              : ['Write your authorization server into frontends.json, as Authority.']),
            `Next: npx --no-install sallyport check${file}`,
            `      npx --no-install sallyport start${file}`,
            'Then open http://localhost:3000 in a browser.',
            '',
          ].join('\n'),
        )
      }),
    )
}

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of the configuration')
    .option('--reference', 'the reference in Markdown instead')
    .option('-o, --out <file>', 'write to a file')
    .action(({ reference, out }: { readonly reference?: true; readonly out?: string }) =>
      explained(async () => {
        const { jsonSchema } = await import('../../config/schema/schema.js')
        const { configurationReference } = await import('../../config/schema/reference.js')
        const text = reference ? configurationReference() : `${JSON.stringify(jsonSchema, null, 2)}\n`
        if (out === undefined) process.stdout.write(text)
        else writeFileSync(out, text)
      }),
    )
}
