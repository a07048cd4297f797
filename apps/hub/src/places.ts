import path from 'node:path'

/** Folder of the style sheets and scripts that browsers get; beside the sources, and beside what is built of them. */
export const ASSETS: string = path.join(import.meta.dirname, '..', 'assets')

/** The hub's own small single-user server, as source or built like the hub itself. */
export const SINGLE_USER: string = path.join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? 'singleuser/main.ts' : 'singleuser.js',
)
