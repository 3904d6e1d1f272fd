import { Command } from 'commander'
import { packageVersion } from '../server/package.js'
import { logLevelCommand, refusalsCommand, upstreamsCommand } from './commands/administration-commands.js'
import { checkCommand, dpopExplainCommand, explainCommand, routesCommand } from './commands/check-commands.js'
import { keygenCommand } from './commands/keygen-command.js'
import { devCommand, startCommand } from './commands/run-commands.js'
import { sessionsCommand } from './commands/sessions-command.js'
import { importCommand, initCommand, schemaCommand } from './commands/setup-commands.js'

/** The command line. Each command loads what it needs and no more. Every one ends with exit code 0, or says what to do and ends with another. */
export function program(): Command {
  const sallyport = new Command('sallyport')
    .description('A FAPI 2.0 gateway for browser apps, an authorization server and a DPoP validator')
    .version(packageVersion(), '-v, --version')
    .showHelpAfterError('(add --help for what there is)')
    .showSuggestionAfterError()
  const commands = [
    startCommand(),
    devCommand(),
    checkCommand(),
    routesCommand(),
    explainCommand(),
    dpopExplainCommand(),
    sessionsCommand(),
    upstreamsCommand(),
    refusalsCommand(),
    logLevelCommand(),
    keygenCommand(),
    initCommand(),
    importCommand(),
    schemaCommand(),
  ]
  for (const command of commands) sallyport.addCommand(command.copyInheritedSettings(sallyport))
  return sallyport
}
