import type { Keyring, RandomBytes } from '../internal/secrets.ts'

/** Life of a device mark, in seconds. */
export const DEVICE_SECONDS: number = 180 * 86_400

/** Makes the mark that a browser keeps after a login at `at`: the lockout counts it apart from strangers. */
export function newDevice(keys: Keyring, random: RandomBytes, username: string, at: number): string {
  const device = Buffer.from(random(16)).toString('base64url')
  const ends = at + DEVICE_SECONDS * 1000
  return `${device}.${ends}.${keys.sign('device', `${device}.${ends}.${username}`)}`
}

/**
 * Names the device of a mark; `undefined` when it was made for another account, forged, or is too old.
 *
 * @param since - When the password was chosen: who knew an earlier one has no counter of their own for this one.
 */
export function readDevice(
  keys: Keyring,
  mark: string | undefined,
  username: string,
  now: number,
  since: number,
): string | undefined {
  const [device, ends, signature] = (mark ?? '').split('.')
  if (device === undefined || ends === undefined || signature === undefined) return undefined
  const made = Number(ends) - DEVICE_SECONDS * 1000
  return Number(ends) > now && made >= since && keys.verify('device', `${device}.${ends}.${username}`, signature)
    ? device
    : undefined
}
