import { ProbeError } from '../errors.ts'

const formatNames = ['table', 'log', 'json', 'junit', 'nagios', 'prometheus', 'html'] as const

export type FormatName = (typeof formatNames)[number]

/** A form of the report and where it goes; without a file to standard output. */
export interface Format {
  readonly name: FormatName
  readonly file: string | undefined
}

/**
 * Reads `--format` words such as `json` and `html=report.html`.
 *
 * @throws {@link ProbeError} `PROBE_USAGE` for a word that is no format.
 */
export function parseFormats(words: readonly string[], terminal: boolean): readonly Format[] {
  const formats = words.map((word): Format => {
    const at = word.indexOf('=')
    const name = formatNames.find((known) => known === (at === -1 ? word : word.slice(0, at)))
    const file = at === -1 ? undefined : word.slice(at + 1)
    if (name === undefined || file === '') {
      throw new ProbeError('PROBE_USAGE', `Expected a format of ${formatNames.join(', ')}, got \`${word}\``)
    }
    return { name, file }
  })
  if (formats.filter((format) => format.file === undefined).length > 1) {
    throw new ProbeError(
      'PROBE_USAGE',
      'Only one format can go to standard output; give the others a file: FORMAT=FILE',
    )
  }
  if (formats.some((format) => format.file === undefined)) return formats
  const standard: readonly Format[] = terminal
    ? [{ name: 'table', file: undefined }]
    : [
        { name: 'log', file: undefined },
        { name: 'table', file: undefined },
      ]
  return [...standard, ...formats]
}
