import { setTimeout as delay } from 'node:timers/promises'

import { openPage, sessionOf } from '../test/support/session.ts'
import { both, type Contenders, repeat, residentMiB } from './contenders.ts'
import { median, timed } from './load.ts'
import type { Row } from './table.ts'

/** What an operator notices: starts, memory, a killed proxy, and the admin page of a hub with many users. */
export async function upkeep(hubs: Contenders): Promise<Row[]> {
  const { ours, peer } = hubs
  // What a start needed once has been given back by then.
  await delay(3000)
  const rest = await both(hubs, ({ pid }) => Promise.resolve(residentMiB(pid)))
  const proxies = await both(hubs, ({ proxyPid }) => Promise.resolve(residentMiB(proxyPid())))
  const back = await both(hubs, async ({ url, proxyPid }) => {
    process.kill(proxyPid(), 'SIGKILL')
    return timed(() => healthy(url))
  })
  for (let at = 0; at < 1000; at += 100) {
    const usernames = Array.from({ length: 100 }, (_, index) => `person-${at + index}`)
    await Promise.all([ours, peer].map(({ call }) => call('POST', '/users', { body: { usernames } })))
  }
  await both(hubs, ({ call }) => repeat(20, (index) => call('GET', `/users?offset=${index * 50}`)))
  const grown = await both(hubs, ({ pid }) => Promise.resolve(residentMiB(pid)))
  const page = await adminPages(hubs)
  return [
    { what: 'start to health', unit: 'ms', ours: ours.startMs, peer: peer.startMs, atMost: 1500 },
    { what: 'proxy killed to health', unit: 'ms', ours: back.ours, peer: back.peer, atMost: 2000 },
    { what: 'memory of the hub at rest', unit: 'MiB', ours: rest.ours, peer: rest.peer, atMost: 80 },
    {
      what: 'memory, growth by 1000 users made and listed',
      unit: 'MiB',
      isDifference: true,
      ours: grown.ours - rest.ours,
      peer: grown.peer - rest.peer,
      atMost: 30,
    },
    { what: 'memory of the proxy at rest', unit: 'MiB', ours: proxies.ours, peer: proxies.peer },
    { what: 'admin page, 1000 users, median of 50', unit: 'ms', ours: page.list, atMost: 50 },
    { what: 'admin page, search, median of 50', unit: 'ms', ours: page.search, atMost: 50 },
  ]
}

async function healthy(url: string): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}hub/health`).catch(() => undefined)
    if (answer?.ok === true) return
    await delay(10)
  }
}

async function adminPages({ ours: { hub, url } }: Contenders): Promise<{ list: number; search: number }> {
  const password = 'correct horse battery'
  await hub.command(['create-admin', 'root'], { HUB_ADMIN_PASSWORD: password })
  const cookie = await sessionOf(hub, 'root', password)
  const get = (query: string) => async () => {
    const { status, text } = await openPage(`${url}hub/admin${query}`, cookie)
    if (!text.includes('person-')) throw new Error(`The admin page answered ${status}`)
  }
  return {
    list: median(await repeat(50, (index) => timed(get(`?page=${1 + (index % 20)}`)))),
    search: median(await repeat(50, (index) => timed(get(`?q=son-${index}`)))),
  }
}
