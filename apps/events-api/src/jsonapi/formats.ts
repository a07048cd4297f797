import type { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** Teaches a validator the formats that the API's schemas use. */
export function addFormats(ajv: Ajv2020): Ajv2020 {
  formats.default(ajv, ['date-time', 'uri', 'email'])
  ajv.addFormat('slug', /^[a-z0-9]+(?:-[a-z0-9]+)*$/)
  ajv.addFormat('color', /^#[0-9a-f]{6}$/i)
  ajv.addFormat('timezone', isTimezone)
  return ajv
}

function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
