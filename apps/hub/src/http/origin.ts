import type { Config } from '../config/config.ts'

/**
 * The origin at which a client found the hub, for links that it is to follow.
 *
 * A request that came through the proxy carries `X-Forwarded-Proto`. Its last entry is the proxy's own word; earlier
 * ones are what the client or another proxy said, which the setting `public_url` says better.
 */
export function originOf({ public_url: publicUrl }: Pick<Config, 'public_url'>, request: Request): string {
  const { host } = new URL(request.url)
  const forwarded = request.headers.get('x-forwarded-proto')
  if (forwarded === null) return `http://${host}`
  return publicUrl ?? `${forwarded.split(',').at(-1)?.trim() === 'https' ? 'https' : 'http'}://${host}`
}
