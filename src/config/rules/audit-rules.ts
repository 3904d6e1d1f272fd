import { dirname } from 'node:path'
import { isSecureUrl } from '../../http/secure-url.js'
import { fileKind } from '../file-kind.js'
import { repeatsItself } from './guessable.js'
import { problem, type Rule } from './rule.js'

const at = '/Server/Audit'

export const auditRules: readonly Rule[] = [
  function* recordsGoSomewhere({ audit }) {
    if (audit !== undefined && !audit.log && audit.file === undefined && audit.endpoint === undefined)
      yield problem(
        `${at}/Log`,
        'is false, and there is neither File nor Endpoint: records go nowhere',
        'Leave "Log" out, or name a "File" or an "Endpoint". Without an audit, leave "Audit" out.',
      )
  },

  function* anAuditFileCanBeThere({ audit }) {
    if (audit?.file === undefined) return
    if (fileKind(audit.file) === 'folder')
      yield problem(`${at}/File`, `names ${audit.file}, which is a folder`, 'Name a file in it, such as audit.jsonl.')
    else if (fileKind(dirname(audit.file)) !== 'folder')
      yield problem(
        `${at}/File`,
        `is to lie in ${dirname(audit.file)}, which is no folder`,
        'Make that folder, and let the user that runs sallyport write there.',
      )
  },

  function* recordsGoWhereTheyAreSafe({ audit }) {
    if (audit?.endpoint === undefined) return
    const { url } = audit.endpoint
    if (url === undefined)
      yield problem(`${at}/Endpoint/Url`, 'is missing', 'Write where records are posted, or leave "Endpoint" out.')
    else if (!isSecureUrl(url))
      yield problem(
        `${at}/Endpoint/Url`,
        'is not https: records name people',
        'Write an https URL. Plain http is for a collector on this machine.',
      )
  },

  function* aHashKeyCannotBeGuessed({ settings, audit }) {
    const { Audit } = settings.Server
    if (audit?.hashKey === undefined || Audit === undefined) return
    if (audit.hashKey.length < 32)
      yield problem(
        `${at}/HashKey`,
        'has fewer than 32 characters, and could be guessed',
        'Take what `openssl rand -base64 32` prints.',
      )
    else if (repeatsItself(audit.hashKey))
      yield problem(
        `${at}/HashKey`,
        'is made of a few characters again and again, and could be guessed',
        'Take what `openssl rand -base64 32` prints.',
      )
    if (Audit.Subject !== 'Hashed' && Audit.Address !== 'Hashed')
      yield problem(
        `${at}/HashKey`,
        'changes nothing, because neither Subject nor Address is "Hashed"',
        'Leave it out, or write "Subject": "Hashed".',
      )
  },
]
