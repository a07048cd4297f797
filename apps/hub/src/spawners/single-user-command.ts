import { accessSync, constants } from 'node:fs'
import path from 'node:path'

import { SINGLE_USER } from '../places.ts'

/** What to run as a single-user server, and what it needs in its environment. */
export interface SingleUserCommand {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** The hub's own small server. */
const bundledCommand: readonly string[] = [process.execPath, SINGLE_USER]

/** Resolves the setting `spawner.command`: `auto` prefers a real Jupyter, `bundled` is the hub's own. */
export function singleUserCommand(command: readonly string[], args: readonly string[]): SingleUserCommand {
  const [first] = command
  if (command.length === 1 && first === 'bundled') return { command: [...bundledCommand, ...args], env: {} }
  if (command.length !== 1 || first !== 'auto') return { command: [...command, ...args], env: {} }
  if (!isOnPath('jupyterhub-singleuser')) return { command: [...bundledCommand, ...args], env: {} }
  const root = process.getuid?.() === 0 ? ['--allow-root'] : []
  // Debian packages the classic notebook and no JupyterLab, which would be the default.
  const classic = !isOnPath('jupyter-lab') && isOnPath('jupyter-notebook')
  return {
    command: ['jupyterhub-singleuser', ...root, ...args],
    env: classic ? { JUPYTERHUB_SINGLEUSER_APP: 'notebook.notebookapp.NotebookApp' } : {},
  }
}

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
