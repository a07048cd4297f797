import type { Call } from '../call.ts'
import type { Route } from '../route.ts'

/** A route whose errors are pages. */
export function pageRoute<Profile>(
  method: 'GET' | 'POST',
  path: string,
  run: (call: Call<Profile>) => Promise<Response>,
): Route<Profile> {
  return { method, path, isPage: true, run, ...(method === 'POST' ? { body: 'form' as const } : {}) }
}

/** Sends whoever is not logged in to the login page, and back afterwards. */
export function loginFirst<Profile>(call: Call<Profile>): string {
  return `${call.site.basePath}/login?next=${encodeURIComponent(call.url.pathname + call.url.search)}`
}
