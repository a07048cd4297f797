import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

import { describe, expect, test } from 'vitest'

import { askAtTheDoor } from './probe.ts'

/** Far longer than any of the answers; only what nobody answers takes as long. */
const TIMEOUT_MS = 60_000

async function ask(answer: (socket: Socket) => void, timeoutMs = TIMEOUT_MS): Promise<string> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    answer(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await askAtTheDoor((server.address() as AddressInfo).port, 'postgres', timeoutMs)
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

describe('what the door says', () => {
  test.each([
    ['a request for proof', 'R\0\0\0\x17\0\0\0\nSCRAM-SHA-256\0\0', 'ready'],
    ['that it starts', 'E\0\0\0\x20SFATAL\0C57P03\0Mstarting\0\0', 'starting'],
    ['that it has no room', 'E\0\0\0\x20SFATAL\0C53300\0Mtoo many\0\0', 'silent'],
  ])('%s', async (_, words, meaning) => {
    expect(await ask((socket) => socket.once('data', () => socket.write(words, 'latin1')))).toBe(meaning)
  })

  test('nothing, when it is closed in an orderly way, by force, or has nobody behind it', async () => {
    expect(await ask((socket) => socket.end())).toBe('silent')
    expect(await ask((socket) => socket.resetAndDestroy())).toBe('silent')
    expect(await askAtTheDoor(1, 'postgres', TIMEOUT_MS)).toBe('silent')
  })

  test('nothing, when nobody answers in time', async () => {
    expect(await ask(() => {}, 50)).toBe('silent')
  })
})
