import type { Context, Hono } from 'hono'

import { RequestError } from '../errors.ts'
import { readText } from '../http/body.ts'
import { toRequestError } from '../http/errors.ts'
import type { Hub } from '../hub.ts'
import { presentedToken, requesterByCookie, requesterByToken } from '../identity.ts'
import { ANYBODY, type Requester } from '../requester.ts'
import { HUB_VERSION } from '../version.ts'
import {
  ApiCall,
  type Call,
  json,
  refusal,
  requireScope,
  type Resource,
  tagged,
  unlessKnown,
  type Verb,
} from './call.ts'
import { type JsonText, jsonText } from './json-text.ts'
import { databaseResources } from './databases.ts'
import { groupResources } from './groups.ts'
import { hubResources } from './hub.ts'
import { openApiDocument } from './openapi.ts'
import { serverResources } from './servers.ts'
import { tokenResources } from './tokens.ts'
import { userResources } from './users.ts'

/** Every path of the API. */
export const resources: readonly Resource[] = [
  ...userResources,
  ...serverResources,
  ...tokenResources,
  ...groupResources,
  ...hubResources,
  ...databaseResources,
]

/** Mounts the API below `base`, which ends without a slash. */
export function mountApi(app: Hono, hub: Hub, base: string): void {
  const about = jsonText({ version: HUB_VERSION })
  const version = ({ req }: Context) => unlessKnown(req.raw, tagged(about))
  app.get(base, version)
  app.get(`${base}/`, version)
  app.get(`${base}/openapi.json`, ({ req }) => unlessKnown(req.raw, json(openApiDocument(base, resources))))
  for (const resource of resources) {
    app.all(`${base}${resource.path}`, (context) => dispatch(hub, context, resource))
  }
}

async function dispatch(hub: Hub, context: Context, resource: Resource): Promise<Response> {
  const request = context.req.raw
  try {
    const operation = resource.operations[request.method.toLowerCase() as Verb]
    if (operation === undefined || context.req.method !== request.method) {
      const allow = Object.keys(resource.operations).join(', ').toUpperCase()
      throw new RequestError(405, 'Method Not Allowed', { allow })
    }
    // First of all: a body comes as slowly as its sender likes, and who he is may change meanwhile.
    const text = request.method === 'GET' ? '' : await readText(request)
    // Before anything else is read: what changes from here on is seen by the next call.
    const mark = hub.mark()
    const requester = (await identify(hub, request, mark)) ?? (operation.anonymous === true ? ANYBODY : undefined)
    if (requester === undefined) throw missing(operation.scopes)
    const params = context.req.param() as Record<string, string>
    const call = new ApiCall(hub, request, params, requester)
    await requireScope(call, operation)
    if (operation.read !== undefined) return unlessKnown(request, tagged(await reading(call, operation.read, mark)))
    return unlessKnown(request, await operation.handle(call.with(parseBody(text))))
  } catch (error) {
    return refusal(toRequestError(hub, error))
  }
}

/** What a reading finds, from memory as long as nothing has changed that it was made from. */
async function reading(
  call: Call,
  read: (call: Call) => Promise<unknown>,
  mark: string | undefined,
): Promise<JsonText> {
  const { hub, requester, request } = call
  const make = async () => jsonText(await read(call))
  // A browser's rights may change in ways that the database does not show.
  if (requester.token === undefined) return make()
  const { headers } = request
  // The address that it was asked at, which links in the answer begin with.
  const at = `${headers.get('x-forwarded-proto') ?? ''} ${request.url}`
  const key = `${requester.token.id} ${headers.get('accept') ?? ''} ${at}`
  const since = mark === undefined ? undefined : `${mark} ${hub.servers.table.changes}`
  return (await hub.readings.get(since, key, make)) ?? make()
}

function missing(scopes: readonly string[]): RequestError {
  if (scopes.length === 0) return new RequestError(403, 'Forbidden')
  const names = scopes.join(', ')
  return new RequestError(403, `Action is not authorized with current scopes; requires any of [${names}]`)
}

async function identify(hub: Hub, request: Request, mark: string | undefined): Promise<Requester | undefined> {
  const token = presentedToken(request)
  if (token !== undefined) return requesterByToken(hub, token, mark)
  if (!request.headers.has('cookie') || !comesFromHub(hub, request)) return undefined
  const requester = await requesterByCookie(hub, request)
  if (requester === undefined || request.method === 'GET') return requester
  // A page of some user's server lies on the same origin: what changes anything must prove that it read a hub page.
  const proof = request.headers.get('x-xsrftoken') ?? ''
  return hub.forms.isValid(proof, requester.sessionId) ? requester : undefined
}

/** Whether a browser's call was made by one of the hub's own pages. */
function comesFromHub(hub: Hub, request: Request): boolean {
  const referer = request.headers.get('referer')
  if (referer === null || !URL.canParse(referer)) return false
  const from = new URL(referer)
  return from.host === new URL(request.url).host && from.pathname.startsWith(`${hub.config.base_url}hub/`)
}

function parseBody(text: string): unknown {
  if (text.trim() === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new RequestError(400, 'Invalid JSON in body of request')
  }
}
