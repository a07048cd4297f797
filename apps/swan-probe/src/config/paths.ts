import path from 'node:path'

/**
 * Makes a path of the YAML file absolute.
 *
 * The original's examples write `eos/user/u/user2/` and `cvmfs/sft.cern.ch/` for places below the root; any other
 * relative path starts at `base`, or stays as it is without one.
 */
export function absolutePath(value: string, base: string | undefined): string {
  if (path.isAbsolute(value)) return value
  const start = value.split('/', 1)[0]
  if (start === 'eos' || start === 'cvmfs') return `/${value}`
  return base === undefined ? value : path.resolve(base, value) + (value.endsWith('/') ? '/' : '')
}
