import { writeFileSync } from 'node:fs'
import { Argument, Command, Option } from 'commander'
import type { ImportKind } from '../import/import.js'
import type { InitFlags } from '../init/choices.js'
import { explained } from './command.js'

export function initCommand(): Command {
  return new Command('init')
    .description('write a configuration to start from, with fresh keys; nothing is overwritten')
    .argument('[folder]', 'where', '.')
    .addOption(new Option('--embedded', 'with the embedded authorization server, and a user').conflicts('authority'))
    .option('--authority <url>', 'the issuer identifier of your authorization server; what fits to it is written')
    .option('--spa <place>', 'the folder your application is built into, or the origin of its development server')
    .option('--api <url>', 'your API: what is below /api goes there')
    .addHelpText('after', '\nWithout options, at a terminal, it asks.')
    .action((folder: string, flags: InitFlags) =>
      explained(async () => {
        const { init } = await import('../init/init-command.js')
        await init(folder, flags)
      }),
    )
}

export function importCommand(): Command {
  return new Command('import')
    .description('make a configuration of another program’s, and name what is not taken over')
    .addArgument(new Argument('<program>', 'whose configuration it is').choices(['granit', 'duende', 'oauth2-proxy']))
    .argument('<file>', 'appsettings.json, or oauth2-proxy.cfg')
    .addOption(new Option('-o, --out <file>', 'what to write; nothing is overwritten').default('./frontends.json'))
    .action((kind: ImportKind, file: string, { out }: { readonly out: string }) =>
      explained(async () => {
        const { importConfiguration } = await import('../import/import.js')
        await importConfiguration({ kind, file, out })
      }),
    )
}

export function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of the configuration')
    .option('--reference', 'the reference in Markdown instead')
    .option('--audit', 'that of audit records instead')
    .option('-o, --out <file>', 'write to a file')
    .action(({ reference, audit, out }: SchemaArguments) =>
      explained(async () => {
        const text = audit ? await auditSchemaText() : await configurationText(reference ? 'reference' : 'schema')
        if (out === undefined) process.stdout.write(text)
        else writeFileSync(out, text)
      }),
    )
}

interface SchemaArguments {
  readonly reference?: true
  readonly audit?: true
  readonly out?: string
}

async function configurationText(kind: 'schema' | 'reference'): Promise<string> {
  const { jsonSchema } = await import('../../config/schema/schema.js')
  const { configurationReference } = await import('../../config/schema/reference.js')
  return kind === 'reference' ? configurationReference() : `${JSON.stringify(jsonSchema, null, 2)}\n`
}

async function auditSchemaText(): Promise<string> {
  const { auditSchema } = await import('../../audit/schema.js')
  return `${JSON.stringify(auditSchema, null, 2)}\n`
}
