import { NativeAuthError } from '../errors.ts'
import type { HandlerContext } from '../native-auth-types.ts'
import { Call, type Site } from './call.ts'
import { refuseCrossSite } from './cross-site.ts'
import { jsonRoutes } from './json/routes.ts'
import { pageRoutes } from './pages/routes.ts'
import { errorPage } from './pages/render.ts'
import type { Route } from './route.ts'
import { json, jsonError, toPublicError } from './respond.ts'
import { bodyKind, receive } from './body.ts'
import { wantsPage } from './accepts.ts'

/** Builds the fetch handler of a site. */
export function createHandler<Profile>(
  site: Site<Profile>,
): (request: Request, context?: HandlerContext) => Promise<Response> {
  const routes = [...pageRoutes<Profile>(), ...jsonRoutes<Profile>(site)].map((route) => ({
    ...route,
    parts: route.path.split('/').slice(1),
  }))
  return async (request, context = {}) => {
    const url = new URL(request.url)
    const parts = splitPath(url.pathname, site.basePath)
    const found = parts === undefined ? [] : routes.filter((route) => matches(route.parts, parts))
    // A path that is spelt out hides a pattern that would match it too.
    const literal = found.filter((route) => !route.parts.includes('*'))
    const here = literal.length > 0 ? literal : found
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const able = here.filter((route) => route.method === method)
    const route =
      able.find((candidate) => candidate.body === bodyKind(request.headers)) ??
      able.find((candidate) => candidate.body === undefined) ??
      able.find((candidate) => candidate.body === 'json') ??
      able[0]
    const params = (parts ?? []).filter((_, index) => route?.parts[index] === '*')
    const call = new Call(site, request, url, params, context.clientIp)
    const answer = await run(site, call, route, here)
    return request.method === 'HEAD' ? new Response(null, answer) : answer
  }
}

async function run<Profile>(
  site: Site<Profile>,
  call: Call<Profile>,
  route: Route<Profile> | undefined,
  here: readonly Route<Profile>[],
): Promise<Response> {
  try {
    if (here.length === 0) throw new NativeAuthError('NATIVE_AUTH_NOT_FOUND', 'There is nothing here')
    if (route === undefined) {
      const allow = [...new Set(here.map(({ method }) => method))].join(', ')
      const error = new NativeAuthError('NATIVE_AUTH_METHOD_NOT_ALLOWED', 'Method Not Allowed')
      return json(405, { detail: error.message, code: error.code }, new Headers({ allow }))
    }
    refuseCrossSite(call.request, site.origins)
    // Whole before anybody's rights are looked at: a body may take its time, and rights can end meanwhile.
    call.body = await receive(call.request)
    return await route.run(call)
  } catch (error) {
    const known = toPublicError(error, site.core.onError)
    return (route?.isPage ?? wantsPage(call.request)) ? errorPage(call, known) : jsonError(known)
  }
}

/** The segments below the base path, decoded; `undefined` for paths elsewhere or badly encoded. */
function splitPath(pathname: string, basePath: string): readonly string[] | undefined {
  if (!pathname.startsWith(`${basePath}/`)) return undefined
  try {
    return pathname
      .slice(basePath.length + 1)
      .split('/')
      .map(decodeURIComponent)
  } catch {
    return undefined
  }
}

function matches(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((part, index) => (part === '*' ? parts[index] !== '' : part === parts[index]))
  )
}
