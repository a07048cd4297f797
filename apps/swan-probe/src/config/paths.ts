import path from 'node:path'

/**
 * Makes a path of the YAML file absolute.
 *
 * The original's examples write `eos/user/u/user2/` and `cvmfs/sft.cern.ch/` for places below the root; any other
 * relative path starts at `base`.
 */
export function absolutePath(value: string, base: string): string {
  if (path.isAbsolute(value)) return value
  const start = value.split('/', 1)[0]
  return start === 'eos' || start === 'cvmfs'
    ? `/${value}`
    : path.resolve(base, value) + (value.endsWith('/') ? '/' : '')
}
