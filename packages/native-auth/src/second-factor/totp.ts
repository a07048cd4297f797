import { createHmac } from 'node:crypto'

/** Length of a time step, in seconds; the value that every authenticator app knows. */
const STEP_SECONDS = 30
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Writes bytes as base32 without padding. @see https://www.rfc-editor.org/rfc/rfc4648#section-6 */
export function base32(bytes: Uint8Array): string {
  let bits = 0
  let value = 0
  let text = ''
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(value >> bits) & 31]
    }
  }
  return bits > 0 ? text + ALPHABET[(value << (5 - bits)) & 31] : text
}

/** Reads base32; spaces and case do not matter. */
export function fromBase32(text: string): Buffer {
  const bytes: number[] = []
  let bits = 0
  let value = 0
  for (const character of text.toUpperCase().replace(/[^A-Z2-7]/g, '')) {
    value = ((value << 5) | ALPHABET.indexOf(character)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((value >> bits) & 255)
  }
  return Buffer.from(bytes)
}

/**
 * Computes the code of a time step: SHA-1, six digits.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6238#section-4 and https://www.rfc-editor.org/rfc/rfc4226#section-5.3
 */
export function totp(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = (mac.at(-1) ?? 0) & 15
  return String((mac.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0')
}

/** The time step of an instant in milliseconds. */
export const stepAt = (now: number): number => Math.floor(now / 1000 / STEP_SECONDS)

/** Finds the step, now or one to either side, that a code belongs to and that is later than the last accepted one. */
export function matchStep(secret: Uint8Array, code: string, now: number, lastStep: number): number | undefined {
  const current = stepAt(now)
  // All three are computed, so that the time taken does not tell which one it was.
  const found = [current - 1, current, current + 1].filter((step) => totp(secret, step) === code)
  return found.find((step) => step > lastStep)
}

/** The address that authenticator apps read, as a QR code or a link. */
export function otpauthUri(secret: string, username: string, service: string): string {
  const label = `${encodeURIComponent(service)}:${encodeURIComponent(username)}`
  const query = `secret=${secret}&issuer=${encodeURIComponent(service)}&algorithm=SHA1&digits=6&period=${STEP_SECONDS}`
  return `otpauth://totp/${label}?${query}`
}
