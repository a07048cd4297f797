import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'

import { ContainerPgError } from '../errors.ts'
import type { Server } from '../lifecycle/view.ts'
import type { Provisioner } from '../provisioner.ts'
import { BodyRefused, readSpec } from './body.ts'
import { openApi } from './openapi.ts'
import { problem, problemOf } from './problems.ts'

/** What a request is about to do. */
export interface ContainerApiAction {
  readonly operation: 'create' | 'list' | 'get' | 'start' | 'stop' | 'remove' | 'logs' | 'describe'
  /** Name of the server, where the address has one. */
  readonly name: string | undefined
}

/** Options of {@link createContainerApi}. */
export interface ContainerApiOptions {
  /**
   * Decides about each request before anything else is done with it. Decide by a header, such as {@link bearerToken} does: a
   * cookie alone would let other sites send forms in their visitors' names.
   */
  readonly authorize: (request: Request, action: ContainerApiAction) => boolean | Promise<boolean>
  /** Start of every path, without a slash at its end. @default '/api' */
  readonly basePath?: string
  /** Hears of errors that are not this package's, which the answer does not show. @default nothing is done */
  readonly onError?: (error: unknown) => void
  /** Chooses a name for servers that come without name and folder. @default `pg-` and 12 random digits */
  readonly chooseName?: () => string
}

type Route = ContainerApiAction & { readonly run: (request: Request) => Promise<Response> }

/**
 * Serves a provisioner over HTTP, in the shape of PythonAnywhere's Docker Postgres service of 2014: `POST /api/containers/`
 * with `admin_password`, and perhaps `storage_dir` and `port`, as JSON or as a form, answers `{"status": "OK", "port": …}`.
 *
 * @returns A fetch handler. It never throws; every failure is an answer with `code`, `message` and `remedy`.
 * @example
 * const handle = createContainerApi(provisioner, { authorize: bearerToken(process.env.TOKEN) })
 */
export function createContainerApi(
  provisioner: Provisioner,
  options: ContainerApiOptions,
): (request: Request) => Promise<Response> {
  const {
    authorize,
    basePath = '/api',
    onError = () => {},
    chooseName = () => `pg-${randomUUID().slice(-12)}`,
  } = options
  return async (request) => {
    try {
      const url = new URL(request.url)
      const found = url.pathname.startsWith(`${basePath}/`) ? route(provisioner, url, basePath, chooseName) : undefined
      const action = found?.[request.method]
      if (!(await authorize(request, action ?? { operation: 'describe', name: undefined }))) {
        return problem(401, 'UNAUTHORISED', 'Expected a request with permission', { 'www-authenticate': 'Bearer' })
      }
      if (found === undefined) return problem(404, 'NO_ROUTE', 'There is nothing at this address')
      if (action === undefined) {
        const allow = Object.keys(found).join(', ')
        return problem(405, 'METHOD_NOT_ALLOWED', `Expected the method ${allow}`, { allow })
      }
      return await action.run(request)
    } catch (error) {
      if (error instanceof BodyRefused) return problem(error.status, 'BODY_REFUSED', error.message)
      if (!(error instanceof ContainerPgError)) onError(error)
      return problemOf(error)
    }
  }
}

function route(
  provisioner: Provisioner,
  url: URL,
  basePath: string,
  chooseName: () => string,
): Partial<Record<string, Route>> | undefined {
  const [first, name, verb, ...more] = url.pathname
    .slice(basePath.length + 1)
    .replace(/\/$/, '')
    .split('/')
  if (more.length > 0) return undefined
  const create: Route = {
    operation: 'create',
    name: undefined,
    run: async (request) => ok(await provisioner.create(await readSpec(request, chooseName))),
  }
  if (name === undefined) {
    switch (first) {
      case 'create':
        return { POST: create }
      case 'containers':
        return { POST: create, GET: { operation: 'list', name, run: async () => listed(await provisioner.list()) } }
      case 'openapi.json':
        return { GET: { operation: 'describe', name, run: () => Promise.resolve(Response.json(openApi(basePath))) } }
      default:
        return undefined
    }
  }
  if (first !== 'containers') return undefined
  switch (verb) {
    case undefined:
      return {
        GET: { operation: 'get', name, run: async () => ok(await existing(provisioner, name)) },
        DELETE: { operation: 'remove', name, run: () => remove(provisioner, name, url) },
      }
    case 'start':
      return { POST: { operation: 'start', name, run: async () => ok(await provisioner.start(name)) } }
    case 'stop':
      return { POST: { operation: 'stop', name, run: async () => ok(await provisioner.stop(name)) } }
    case 'logs':
      return { GET: { operation: 'logs', name, run: (request) => logs(provisioner, name, url, request.signal) } }
    default:
      return undefined
  }
}

async function existing(provisioner: Provisioner, name: string): Promise<Server> {
  const server = await provisioner.get(name)
  if (server === undefined) throw new ContainerPgError('NOT_FOUND', `There is no server ${name}`)
  return server
}

async function remove(provisioner: Provisioner, name: string, url: URL): Promise<Response> {
  const keep = url.searchParams.get('keep_data')
  if (keep !== 'true' && keep !== 'false') {
    throw new ContainerPgError('INVALID_INPUT', 'Expected `keep_data` to be true or false', {
      remedy: 'Say what shall become of the data; there is no default.',
    })
  }
  await provisioner.remove(name, { keepData: keep === 'true' })
  return new Response(null, { status: 204 })
}

async function logs(provisioner: Provisioner, name: string, url: URL, signal: AbortSignal): Promise<Response> {
  const tail = url.searchParams.get('tail')
  if (tail !== null && !/^\d{1,9}$/.test(tail))
    throw new ContainerPgError('INVALID_INPUT', 'Expected `tail` to be a whole number')
  await existing(provisioner, name)
  const gone = new AbortController()
  const follow = url.searchParams.get('follow') === 'true'
  const lines = provisioner.logs(name, {
    follow,
    signal: AbortSignal.any([signal, gone.signal]),
    ...(tail === null ? {} : { tail: Number(tail) }),
  })
  const encoder = new TextEncoder()
  const source = lines[Symbol.asyncIterator]()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await source.next()
      if (done === true) controller.close()
      else controller.enqueue(encoder.encode(`${value}\n`))
    },
    cancel: () => gone.abort(),
  })
  return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } })
}

const ok = (server: Server): Response => Response.json({ status: 'OK', ...onTheWire(server) })
const listed = (servers: readonly Server[]): Response =>
  Response.json({ status: 'OK', containers: servers.map(onTheWire) })

function onTheWire({ name, state, connection, port, storageDir, image, databases, createdAt }: Server): object {
  const { host, user } = connection
  return { name, state, host, port, user, storage_dir: storageDir, image, databases, created_at: createdAt }
}

/**
 * Permits requests with `Authorization: Bearer TOKEN`. Takes the same time whatever token comes.
 *
 * @param token - At least 16 characters.
 * @throws TypeError when the token is shorter.
 */
export function bearerToken(token: string): (request: Request) => boolean {
  if (typeof token !== 'string' || token.length < 16) throw new TypeError('Expected a token of at least 16 characters')
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(`Bearer ${token}`)
  return (request) => timingSafeEqual(digest(request.headers.get('authorization') ?? ''), expected)
}
