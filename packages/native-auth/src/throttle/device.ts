import type { Keyring, RandomBytes } from '../internal/secrets.ts'

/** Life of a device mark, in seconds. */
export const DEVICE_SECONDS: number = 180 * 86_400

/** Makes the mark that a browser keeps after a login: the lockout counts it apart from strangers. */
export function newDevice(keys: Keyring, random: RandomBytes, username: string, now: number): string {
  const device = Buffer.from(random(16)).toString('base64url')
  const ends = now + DEVICE_SECONDS * 1000
  return `${device}.${ends}.${keys.sign('device', `${device}.${ends}.${username}`)}`
}

/** Names the device of a mark; `undefined` when it was made for another account, forged, or is too old. */
export function readDevice(keys: Keyring, mark: string | undefined, username: string, now: number): string | undefined {
  const [device, ends, signature] = (mark ?? '').split('.')
  if (device === undefined || ends === undefined || signature === undefined) return undefined
  return Number(ends) > now && keys.verify('device', `${device}.${ends}.${username}`, signature) ? device : undefined
}
