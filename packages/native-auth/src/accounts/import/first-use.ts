import { NativeAuthError } from '../../errors.ts'
import type { ImportEntry, UnreadableEntry } from './entry.ts'

/** Writes a dbm file as JSON, whichever of its formats Python chose. */
const EXPORT_COMMAND = `python3 -c "import dbm,json,sys; d=dbm.open(sys.argv[1]); print(json.dumps({k.decode(): d[k].decode() for k in d.keys()}, indent=0))" passwords.dbm > passwords.json`

/**
 * Reads the accounts of JupyterHub's FirstUseAuthenticator from a JSON export of its dbm file: names and hashes.
 *
 * All of them may log in there, so all are authorised here. Lines count the entries, from 1.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_IMPORT_FAILED` when the text is not such an export.
 */
export function* readFirstUse(text: string): Generator<ImportEntry | UnreadableEntry, void, undefined> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw notAnExport()
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAnExport()
  let line = 0
  for (const [username, hash] of Object.entries(value)) {
    line += 1
    if (typeof hash === 'string') yield { line, username, hash, isAuthorised: true }
    else yield { line, problem: 'The password hash is not a text' }
  }
}

function notAnExport(): NativeAuthError {
  return new NativeAuthError(
    'NATIVE_AUTH_IMPORT_FAILED',
    `Expected a JSON object of names and hashes. Make one with:\n${EXPORT_COMMAND}`,
  )
}
