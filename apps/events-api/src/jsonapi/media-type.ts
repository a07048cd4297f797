import { problem } from './errors.ts'

/** @see https://www.iana.org/assignments/media-types/application/vnd.api+json */
export const MEDIA_TYPE = 'application/vnd.api+json'

interface MediaRange {
  readonly type: string
  /** Names of the parameters before `q`, lower case. */
  readonly parameters: readonly string[]
  readonly quality: number
}

/**
 * Refuses a body that does not declare JSON:API's media type.
 *
 * `profile` is ignored as the standard asks; `ext` is refused, since no extension is supported.
 *
 * @throws {@link ApiError} 415 for any other type, for other parameters, and for a content coding.
 * @see https://jsonapi.org/format/1.1/#content-negotiation-servers
 */
export function requireMediaType(headers: Headers): void {
  const source = { header: 'Content-Type' }
  const [range] = parseRanges(headers.get('content-type') ?? '')
  if (range?.type !== MEDIA_TYPE) {
    throw problem('unsupported_media_type', `Expected \`Content-Type: ${MEDIA_TYPE}\``, source)
  }
  const surplus = range.parameters.find((name) => name !== 'profile')
  if (surplus !== undefined) {
    throw problem('unsupported_media_type', `Expected no media type parameter \`${surplus}\``, source)
  }
  const coding = headers.get('content-encoding')
  if (coding !== null && coding.toLowerCase() !== 'identity') {
    throw problem('unsupported_media_type', 'Expected a body without content coding', { header: 'Content-Encoding' })
  }
}

/**
 * Refuses a request whose `Accept` leaves no room for JSON:API's media type.
 *
 * @throws {@link ApiError} 406 when no range matches, or when each instance of the type carries parameters.
 */
export function requireAcceptable(headers: Headers): void {
  const accept = headers.get('accept')
  if (accept === null || accept.trim() === '') return
  const ranges = parseRanges(accept)
  const named = ranges.filter((range) => range.type === MEDIA_TYPE)
  // A range that names the type outweighs a wildcard, whatever the order (RFC 9110, 12.5.1).
  const relevant =
    named.length > 0 ? named : ranges.filter((range) => range.type === 'application/*' || range.type === '*/*')
  const usable = relevant.some(
    (range) => range.quality > 0 && range.parameters.every((parameter) => parameter === 'profile'),
  )
  if (!usable) {
    throw problem('not_acceptable', `Expected \`Accept\` to allow \`${MEDIA_TYPE}\` without parameters`, {
      header: 'Accept',
    })
  }
}

function parseRanges(header: string): MediaRange[] {
  return splitOutsideQuotes(header, ',').map((part) => {
    const [type = '', ...rest] = splitOutsideQuotes(part, ';')
    const parameters: string[] = []
    let quality = 1
    for (const parameter of rest) {
      const [name = '', value = ''] = parameter.split('=', 2).map((text) => text.trim())
      if (name.toLowerCase() === 'q') {
        quality = Number(value)
        break
      }
      if (name !== '') parameters.push(name.toLowerCase())
    }
    return { type: type.trim().toLowerCase(), parameters, quality }
  })
}

/** Splits at a separator, but not inside a quoted string: `profile="a,b"` is one parameter. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  let quoted = false
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index]
    if (quoted && char === '\\') index += 1
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === separator) {
      parts.push(text.slice(start, index))
      start = index + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
