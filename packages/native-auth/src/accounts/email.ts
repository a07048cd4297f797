import { invalid } from '../errors.ts'

/** An address as RFC 5321 dots and lengths allow it, without quoted local parts; the domain may be international. */
const SHAPE =
  /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+)*@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}]$/u

/**
 * Trims an address, lower-cases its domain, and checks its shape; the local part keeps its case.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT` when it is not one address on one line.
 */
export function parseEmail(text: string): string {
  const trimmed = text.trim().normalize('NFC')
  const at = trimmed.lastIndexOf('@')
  const address = trimmed.slice(0, at) + trimmed.slice(at).toLowerCase()
  if (address.length > 254 || at > 64 || !SHAPE.test(address) || /[\p{C}\p{Z}]/u.test(text.trim())) {
    throw invalid('email', 'email', 'Give an e-mail address such as ann@example.org')
  }
  return address
}
