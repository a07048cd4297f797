import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startUpkeep } from '../src/upkeep.ts'
import { type InProcessHub, startInProcess } from './support/in-process-hub.ts'
import { call } from './support/running-hub.ts'

describe('a token with an end', { timeout: 60_000 }, () => {
  let inside: InProcessHub
  let now = new Date('2026-11-21T12:00:00Z')
  beforeAll(async () => {
    inside = await startInProcess({}, { now: () => now })
  }, 60_000)
  afterAll(() => inside?.[Symbol.asyncDispose](), 60_000)

  const api = (method: string, where: string, options: { readonly body?: unknown; readonly token?: string } = {}) =>
    call(`${inside.running.url}hub/api${where}`, method, options)
  const later = (seconds: number) => (now = new Date(now.getTime() + seconds * 1000))
  const notes = async () => {
    const rows = inside.running.hub.db.selectFrom('api_tokens').select('note').where('user_id', 'is not', null)
    return (await rows.execute()).map(({ note }) => note)
  }

  test('opens nothing after it, and its row goes with the next upkeep', async () => {
    await api('POST', '/users/ada')
    const make = async (note: string, expiresIn?: number) => {
      const body = { note, ...(expiresIn === undefined ? {} : { expires_in: expiresIn }) }
      return (await api('POST', '/users/ada/tokens', { body })).json as unknown as { token: string; expires_at: string }
    }
    const [brief, lasting] = [await make('brief', 60), await make('lasting')]
    expect(brief.expires_at).toMatch(/^2026-11-21T12:01:00/)
    later(59)
    // Asked twice, so that what the hub remembers of a token is asked too.
    for (const _time of [1, 2]) expect((await api('GET', '/user', brief)).status).toBe(200)
    later(1)
    expect((await api('GET', '/user', brief)).status).toBe(403)
    expect((await api('GET', '/users/ada', brief)).status).toBe(403)
    expect((await api('POST', '/users/ada/server', brief)).status).toBe(403)
    expect((await api('GET', '/user', lasting)).status).toBe(200)
    expect(await notes()).toEqual(['brief', 'lasting'])
    await startUpkeep(inside.running.hub, AbortSignal.abort())
    expect(await notes()).toEqual(['lasting'])
  })

  test('is gone from its owner’s list before that', async () => {
    await api('POST', '/users/bob')
    await api('POST', '/users/bob/tokens', { body: { expires_in: 60 } })
    expect((await api('GET', '/users/bob/tokens')).json['api_tokens']).toHaveLength(1)
    later(60)
    expect((await api('GET', '/users/bob/tokens')).json['api_tokens']).toEqual([])
  })
})
