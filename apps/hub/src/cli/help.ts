import { settingsField } from '../config/settings.ts'

const usage = `Usage: hub [COMMAND] [--config FILE]

Commands
  serve                              run the hub (also without a command)
  create-admin NAME --password-file FILE
                                     make an administrator; FILE may be - for standard input,
                                     or the password stands in HUB_ADMIN_PASSWORD
  check-config                       check the configuration, naming file and line
  token [NAME] [--scope S]... [--note TEXT] [--expires-in SECONDS]
                                     make a token for a user, or without a name one to put into the
                                     configuration of a service; it is printed once
  upgrade-db                         bring the database to this version's schema, as a start does
  import-accounts [FILE]             take over the accounts of NativeAuthenticator from a jupyterhub.sqlite,
                                     by default the one in data_dir; nobody needs a new password
  backup --output FILE               copy the SQLite database while the hub runs

Settings (YAML; a variable in brackets wins over the file)
`

/** What `hub --help` prints. */
export function helpText(): string {
  const rows = settingsField.rows('')
  const lines = rows.map((row) => {
    const fallback = row.default === '' ? '' : `, default ${row.default}`
    return `  ${row.setting}\n      ${row.meaning}: ${row.takes}${fallback}\n`
  })
  return usage + lines.join('')
}
