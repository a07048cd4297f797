import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'

import { messageOf, ProbeError } from '../errors.ts'

/**
 * Reads a command line; flags of `lists` take every word up to the next flag, as the original's `--test a b` does.
 *
 * @throws {@link ProbeError} `PROBE_USAGE` naming the word that cannot be used.
 */
export function parseWords<const T extends ParseArgsOptionsConfig>(
  words: readonly string[],
  options: T,
  lists: readonly string[] = [],
) {
  const expanded: string[] = []
  let list: string | undefined
  for (const word of words) {
    if (word.startsWith('-')) {
      list = lists.includes(word) ? word : undefined
      if (list === undefined) expanded.push(word)
    } else if (list === undefined) {
      expanded.push(word)
    } else {
      expanded.push(list, word)
    }
  }
  try {
    return parseArgs({ args: expanded, options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new ProbeError('PROBE_USAGE', messageOf(error), { cause: error })
  }
}
