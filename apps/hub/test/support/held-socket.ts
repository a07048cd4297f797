import { once } from 'node:events'

import { WebSocket } from 'ws'

/** A websocket that stays open and can be asked whether it still works. */
export interface HeldSocket extends Disposable {
  /** Sends something and waits for what comes back. */
  echo(): Promise<string>
  readonly isOpen: boolean
}

/** Opens a websocket to a fake single-user server, through the proxy. */
export async function holdSocket(url: string): Promise<HeldSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'))
  await once(socket, 'open')
  return {
    get isOpen() {
      return socket.readyState === WebSocket.OPEN
    },
    async echo() {
      socket.send('x')
      const [data] = (await once(socket, 'message')) as [Buffer]
      return data.toString()
    },
    [Symbol.dispose]: () => socket.terminate(),
  }
}
