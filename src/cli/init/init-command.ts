import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { promptForPassword } from '../password-prompt.js'
import { askForChoices, choicesOf, firstUserName, type InitChoices, type InitFlags } from './choices.js'
import { hasPage, type InitResult, initialise } from './init.js'

/** `sallyport init`: asks a person at a terminal who has said nothing yet, and takes a program at its word. */
export async function init(folder: string, flags: InitFlags): Promise<void> {
  const isAsked = Object.keys(flags).length === 0 && process.stdin.isTTY
  const choices = isAsked ? await asked() : choicesOf(flags, hasPage)
  process.stdout.write(told(folder, choices, await initialise(folder, choices)))
}

async function asked(): Promise<InitChoices> {
  const ask = async (question: string): Promise<string> => {
    // One interface per question: a password is read from the same terminal in between.
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    try {
      return (await lines.question(question)).trim()
    } finally {
      lines.close()
    }
  }
  const password = (): Promise<string> => promptForPassword(process.stdin, (text) => void process.stderr.write(text))
  return askForChoices(ask, password, hasPage)
}

function told(folder: string, { server }: InitChoices, { created, kept, url, lacks, password }: InitResult): string {
  const file = folder === '.' ? '' : ` --config ${join(folder, 'frontends.json')}`
  const isNew = created.includes('frontends.json')
  return [
    ...created.map((name) => `made ${name}`),
    ...kept.map((name) => `left ${name} as it was`),
    '',
    ...(lacks.length > 0 ? ['Your authorization server:', ...lacks.map((lack) => `  - ${lack}`), ''] : []),
    ...(password === undefined ? [] : [`Sign in as ${userName(server)} with ${password}: it is shown this once.`]),
    ...(server.kind === 'none' && isNew ? ['Write your authorization server into frontends.json, as Authority.'] : []),
    ...(server.kind === 'foreign' && isNew
      ? [`Register the client my-bff there, with the redirect URI ${url}/bff/callback.`]
      : []),
    `Next: npx --no-install sallyport check${file}`,
    `      npx --no-install sallyport start${file}`,
    ...(isNew ? [`Then open ${url} in a browser.`] : []),
    '',
  ].join('\n')
}

function userName(server: InitChoices['server']): string {
  return server.kind === 'embedded' ? server.user.name : firstUserName
}
