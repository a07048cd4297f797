import type { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

const { validate: inCalendar } = formats.default.get('date-time') as { validate: (text: string) => boolean }

/** What the formats of the API's schemas ask for. */
export const formatWords: Readonly<Record<string, string>> = {
  uri: 'an absolute address',
  email: 'an e-mail address',
  'date-time': 'a moment with its offset, such as 2027-01-31T09:00:00Z',
  slug: 'lower-case letters and digits with single hyphens between them',
  color: 'a colour such as #2a6f97',
  timezone: 'a time zone such as Europe/Lisbon',
}

/** Teaches a validator the formats that the API's schemas use. */
export function addFormats(ajv: Ajv2020): Ajv2020 {
  formats.default(ajv, ['uri', 'email'])
  ajv.addFormat('date-time', isInstant)
  ajv.addFormat('slug', /^[a-z0-9]+(?:-[a-z0-9]+)*$/)
  ajv.addFormat('color', /^#[0-9a-f]{6}$/i)
  ajv.addFormat('timezone', isTimezone)
  return ajv
}

/**
 * A moment of RFC 3339 that `Date` knows, too: it has no leap seconds. The format of `ajv-formats` looks at the calendar,
 * yet lets offsets without minutes and any white space pass.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3339#section-5.6
 */
function isInstant(text: string): boolean {
  return RFC3339.test(text) && inCalendar(text) && !Number.isNaN(Date.parse(text))
}

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
