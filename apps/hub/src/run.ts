import { once } from 'node:events'
import type { Server } from 'node:http'

import { serve, type ServerType } from '@hono/node-server'

import type { Config } from './config/config.ts'
import { startCulling } from './culling.ts'
import { serveConsoles } from './databases/console.ts'
import { Databases } from './databases/databases.ts'
import { createApp } from './http/app.ts'
import { RequestMetrics } from './http/metrics.ts'
import { createHub, type Hub, type ShutdownWishes } from './hub.ts'
import type { Log } from './log.ts'
import { createNativeAccounts } from './native-accounts.ts'
import { openHubDatabase } from './open-hub-database.ts'
import { Forms } from './pages/forms.ts'
import { checkRoutes } from './proxy/check-routes.ts'
import { ProxyProcess } from './proxy/proxy-process.ts'
import type { Route } from './proxy/routes.ts'
import { type ConfiguredSpawner, createSpawner, memoryBytes } from './spawners/create-spawner.ts'
import { singleUserEnvironment } from './spawners/environment.ts'
import { Servers } from './spawners/servers.ts'
import { Recall } from './store/recall.ts'
import type { Database } from './store/tables.ts'
import { TokenUses } from './store/token-uses.ts'
import { deleteTokensOf } from './store/tokens.ts'
import { findUser } from './store/users.ts'
import { portError } from './system/ports.ts'
import { keptSecret, privateFolder } from './system/private-files.ts'
import { holdFolder } from './system/folder-lock.ts'
import { startUpkeep } from './upkeep.ts'

/** A hub that serves. */
export interface RunningHub {
  readonly hub: Hub
  /** Where browsers find it. */
  readonly url: string
  /** Resolves when it was asked over the API to stop. */
  readonly shutdownRequested: Promise<ShutdownWishes>
  /** Stops it; what is to be kept goes on running for the next hub. */
  stop(keep: { readonly proxy: boolean; readonly servers: boolean }): Promise<void>
}

/** Tokens in use at once whose owners and rights are kept at hand. */
const MOST_REQUESTERS = 2000
/** Answers that are kept at once; one of 200 users has 50 kB. */
const MOST_READINGS = 60
/** How often the proxy's table is compared, in milliseconds. */
const ROUTES_EVERY_MS = 300_000

/** What a hub is made with instead of the real thing. */
export interface HubDrivers {
  /** @default the wall clock */
  readonly now?: () => Date
  /** @default the spawner that the configuration asks for */
  readonly makeSpawner?: (...args: Parameters<typeof createSpawner>) => ConfiguredSpawner | Promise<ConfiguredSpawner>
}

/**
 * Starts a hub: database, servers of a former hub, proxy, HTTP. A failure leaves nothing running.
 *
 * @throws {@link HubError} with what to do about it.
 */
export async function runHub(config: Config, log: Log, drivers: HubDrivers = {}): Promise<RunningHub> {
  const { now = () => new Date(), makeSpawner = createSpawner } = drivers
  await using stack = new AsyncDisposableStack()
  privateFolder(config.data_dir)
  stack.use(holdFolder(config.data_dir))
  const local = `http://${config.hub.ip === '0.0.0.0' ? '127.0.0.1' : config.hub.ip}:${config.hub.port}`
  const proxy = new ProxyProcess({
    dir: config.data_dir,
    ip: config.ip,
    port: config.port,
    apiPort: config.proxy.api_port,
    errorTarget: `${local}${config.base_url}hub/error`,
    sslKey: config.proxy.ssl_key,
    sslCert: config.proxy.ssl_cert,
    maxRssBytes: config.proxy.max_rss_mb * 1024 ** 2,
    log,
  })
  // The longest wait of a start; everything else is done meanwhile.
  const proxyUp = proxy.start()
  // Looked at further down, when the rest is ready; or by `giveUp`.
  proxyUp.catch(() => {})
  let complete = false
  stack.defer(() => (complete ? undefined : giveUp(proxy, proxyUp)))
  const { db, mark } = stack.use(await openHubDatabase(config, now()))
  const hubId = keptSecret(config.data_dir, 'hub-id').slice(0, 16)
  const secret = keptSecret(config.data_dir, 'cookie-secret')
  const forms = new Forms(secret)
  const accounts = await createNativeAccounts({
    db,
    config,
    secret,
    forms,
    log,
    onShutOut: (name) => shutOut(db, servers, name),
  })

  const { spawner, env } = await makeSpawner(config, hubId)
  stack.use(spawner)
  const apiHost = config.hub.connect_host ?? new URL(local).hostname
  const servers = new Servers({
    db,
    spawner,
    routes: () => proxy.routes,
    baseUrl: config.base_url,
    environment: (user, server, names, token) =>
      singleUserEnvironment({
        user: user.name,
        server,
        names,
        baseUrl: config.base_url,
        apiUrl: `http://${apiHost}:${config.hub.port}${config.base_url}hub/api`,
        token,
        accessScopes: [`access:servers!server=${user.name}/${server}`, `access:servers!user=${user.name}`],
        clientScopes: [],
        publicUrl: config.public_url,
        defaultUrl: config.spawner.default_url,
        memLimitBytes: memoryBytes(config),
        cpuLimit: config.spawner.cpu_limit,
        further: { ...env, ...config.spawner.env },
      }),
    startTimeoutMs: config.spawner.start_timeout * 1000,
    pollIntervalMs: config.spawner.poll_interval * 1000,
    concurrentSpawns: config.limits.concurrent_spawns,
    activeServers: config.limits.active_servers,
    now,
    log,
  })

  const expectedRoutes = () => {
    const expected = new Map<string, Route>([[config.base_url, { target: local, hub: true, jupyterhub: true }]])
    for (const [route, target] of servers.table.expectedRoutes()) expected.set(route, { ...target, jupyterhub: true })
    return expected
  }
  const repairRoutes = async () => {
    await checkRoutes(proxy.routes, expectedRoutes, log)
  }
  const shutdown = Promise.withResolvers<ShutdownWishes>()
  const hub = createHub({
    config,
    db,
    now,
    log,
    servers,
    accounts,
    forms,
    databases: new Databases(config),
    requests: new RequestMetrics(),
    uses: stack.use(new TokenUses(db, log)),
    mark,
    requesters: new Recall(MOST_REQUESTERS),
    readings: new Recall(MOST_READINGS),
    routes: () => proxy.routes,
    checkRoutes: repairRoutes,
    requestShutdown: shutdown.resolve,
  })

  stack.defer(() => servers.release())
  const found = await servers.adopt()
  const listener = await listen(createApp(hub).fetch, config)
  stack.defer(() => close(listener))
  stack.use(serveConsoles(listener as Server, hub))
  const how = await proxyUp
  proxy.watch(repairRoutes)
  await repairRoutes()
  const stopping = new AbortController()
  startCulling(hub, stopping.signal)
  void startUpkeep(hub, stopping.signal)
  const timer = setInterval(() => void repairRoutes().catch(() => {}), ROUTES_EVERY_MS)
  timer.unref()
  const scheme = config.proxy.ssl_key === undefined ? 'http' : 'https'
  const url = `${config.public_url ?? `${scheme}://${config.ip}:${config.port}`}${config.base_url}`
  log('info', 'hub ready', { url, proxy: how, ...found, pid: process.pid })
  complete = true
  const resources = stack.move()
  return {
    hub,
    url,
    shutdownRequested: shutdown.promise,
    async stop(keep) {
      stopping.abort()
      clearInterval(timer)
      servers.close()
      if (!keep.servers) await servers.stopAll()
      if (keep.proxy) proxy.release()
      else await proxy.stop()
      await resources.disposeAsync()
      log('info', 'hub stopped', keep)
    },
  }
}

/** After a failed start: a proxy that was found goes on, one that was started for it ends. */
async function giveUp(proxy: ProxyProcess, up: Promise<'adopted' | 'started'>): Promise<void> {
  if ((await up.catch(() => 'started')) === 'started') await proxy.stop()
  else proxy.release()
}

/** Stops the servers of somebody whose account was closed, and ends his tokens. */
async function shutOut(db: Database, servers: Servers, name: string): Promise<void> {
  const user = await findUser(db, name)
  if (user === undefined) return
  for (const { server } of servers.table.activeOf(user.id)) servers.stop(user, server, { cancel: true })
  await deleteTokensOf(db, user.id)
}

async function listen(fetch: (request: Request) => Response | Promise<Response>, config: Config): Promise<ServerType> {
  const { ip, port } = config.hub
  const server = serve({ fetch, hostname: ip, port })
  try {
    await once(server, 'listening')
  } catch (error) {
    throw portError(error, ip, port, 'hub.port')
  }
  return server
}

async function close(server: ServerType): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  // Streams and idle connections would keep it open for ever.
  if ('closeAllConnections' in server) setTimeout(() => server.closeAllConnections(), 200).unref()
  await promise
}
