import { NativeAuthError } from '../errors.ts'
import { attempt } from '../throttle/limits.ts'
import { networkOf } from '../throttle/network.ts'
import type { Call } from './call.ts'

/**
 * Counts a request against what one client address may do; unknown addresses are not counted together.
 *
 * @throws {@link NativeAuthError} `NATIVE_AUTH_RATE_LIMITED`.
 */
export async function countClient<Profile>(call: Call<Profile>, kind: 'logins' | 'signUps' | 'resets'): Promise<void> {
  const { core } = call.site
  const limit = core.limits[kind]
  const network = networkOf(call.ip, 32)
  if (network === undefined || limit.hits === 0) return
  const now = core.now()
  const counted = await attempt(core.db, `${kind}:${core.keys.sign('throttle', network)}`, limit, now)
  if (counted.allowed) return
  throw new NativeAuthError('NATIVE_AUTH_RATE_LIMITED', 'Too many attempts; wait a moment', {
    retryAfterSeconds: Math.max(1, Math.ceil((counted.nextAt - now) / 1000)),
  })
}
