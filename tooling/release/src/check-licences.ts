/** `pnpm check:licences`: fails when a runtime dependency has a licence that nobody agreed to. */
import { execFileSync } from 'node:child_process'
import path from 'node:path'

import { isAccepted } from './licences.ts'
import { root } from './workspace.ts'

interface Listed {
  readonly name: string
  readonly versions: readonly string[]
}

/** Agreed to one by one, with the reason. */
const exceptions: readonly { readonly name: RegExp; readonly why: string }[] = [
  {
    name: /^@img\/sharp-libvips-/,
    why: 'LGPL-3.0-or-later: a shared library beside sharp, loaded and replaceable as it is, used by an app only',
  },
]

const pnpm = path.join(root, 'node_modules', '.bin', 'pnpm')
const output = execFileSync(pnpm, ['--recursive', 'licenses', 'list', '--prod', '--json'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
})
const byLicence = JSON.parse(output) as Readonly<Record<string, readonly Listed[]>>
let count = 0
for (const [licence, packages] of Object.entries(byLicence)) {
  for (const { name, versions } of packages) {
    count += 1
    if (isAccepted(licence) || exceptions.some((each) => each.name.test(name))) continue
    console.error(`${name} ${versions.join(', ')}: licence \`${licence}\` is not among the accepted ones`)
    process.exitCode = 1
  }
}
console.log(`${count} runtime dependencies looked at`)
