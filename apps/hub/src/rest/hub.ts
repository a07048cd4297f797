import { RequestError } from '../errors.ts'
import type { Route } from '../proxy/routes.ts'
import { listServices } from '../store/services.ts'
import { HUB_VERSION } from '../version.ts'
import { bodyMap, type Call, empty, json, pageModel, pageOf, type Resource } from './call.ts'
import { serviceModel } from './models.ts'

function info({ hub }: Call): Response {
  return json({
    version: HUB_VERSION,
    python: `Node.js ${process.version}`,
    sys_executable: process.execPath,
    spawner: { class: `hub.spawners.${hub.config.spawner.kind}`, version: HUB_VERSION },
    authenticator: { class: 'native-auth', version: HUB_VERSION },
  })
}

async function routes(call: Call): Promise<Response> {
  const page = pageOf(call)
  const all = Object.entries(await call.hub.routes().all()).sort(([a], [b]) => (a < b ? -1 : 1))
  const shown = all.slice(page.offset, page.offset + page.limit).map(([path, route]) => {
    const spec = path.endsWith('/') ? path : `${path}/`
    return [spec, routeModel(spec, route)]
  })
  return json(pageModel(call, page, Object.fromEntries(shown), all.length))
}

function routeModel(routespec: string, route: Route): Record<string, unknown> {
  const { target, ...data } = route
  return { routespec, target, data }
}

function shutdown(call: Call): Response {
  const body = bodyMap(call)
  for (const key of ['proxy', 'servers'] as const) {
    if (body[key] !== undefined && typeof body[key] !== 'boolean') {
      throw new RequestError(400, `${key} must be true or false`)
    }
  }
  const { proxy, servers } = body as { readonly proxy?: boolean; readonly servers?: boolean }
  // After the answer has gone out.
  setTimeout(() => call.hub.requestShutdown({ proxy, servers }), 50)
  return json({ message: 'Shutting down Hub' }, 202)
}

async function services(call: Call): Promise<Response> {
  const limits = call.requester.scopes.limits('list:services')
  const all = await listServices(call.hub.db)
  const shown = all.filter(({ name }) => limits === 'all' || limits?.service?.has(name) === true)
  return json(Object.fromEntries(shown.map((each) => [each.name, serviceModel(each, call.requester.scopes)])))
}

async function service(call: Call): Promise<Response> {
  const found = (await listServices(call.hub.db)).find(({ name }) => name === call.params['service'])
  if (found === undefined) throw new RequestError(404, 'Not Found')
  return json(serviceModel(found, call.requester.scopes))
}

/** The hub itself: what it is, its proxy, its services. */
export const hubResources: readonly Resource[] = [
  {
    path: '/info',
    operations: { get: { summary: 'About the hub', scopes: ['read:hub'], answers: { 200: 'Versions' }, handle: info } },
  },
  {
    path: '/proxy',
    operations: {
      get: { summary: "The proxy's routes", scopes: ['proxy'], answers: { 200: 'Routes by path' }, handle: routes },
      post: {
        summary: "Check and repair the proxy's routes",
        scopes: ['proxy'],
        answers: { 200: 'Checked' },
        handle: async (call) => {
          await call.hub.checkRoutes()
          return empty(200)
        },
      },
    },
  },
  {
    path: '/services',
    operations: {
      get: { summary: 'List services', scopes: ['list:services'], answers: { 200: 'By name' }, handle: services },
    },
  },
  {
    path: '/services/:service',
    operations: {
      get: {
        summary: 'Read a service',
        scopes: ['read:services', 'read:services:name', 'read:roles:services'],
        answers: { 200: 'The service' },
        handle: service,
      },
    },
  },
  {
    path: '/shutdown',
    operations: {
      post: {
        summary: 'Stop the hub',
        scopes: ['shutdown'],
        body: {
          proxy: { type: 'boolean', description: 'whether the proxy stops too' },
          servers: { type: 'boolean', description: 'whether the servers stop too' },
        },
        answers: { 202: 'It is stopping', 400: 'Not true or false' },
        handle: shutdown,
      },
    },
  },
]
