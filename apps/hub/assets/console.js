// A psql console: xterm.js on one side, a websocket to the hub on the other.
import { FitAddon } from './xterm-fit.js'
import { Terminal } from './xterm.js'

const place = document.querySelector('#terminal')
const terminal = new Terminal({ cursorBlink: true, fontSize: 14, screenReaderMode: true })
const fit = new FitAddon()
terminal.loadAddon(fit)
terminal.open(place)

const address = new URL(place.dataset.socket, location.href)
address.protocol = address.protocol.replace('http', 'ws')
const socket = new WebSocket(address)
socket.binaryType = 'arraybuffer'
const send = (message) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
}
const resize = () => {
  fit.fit()
  send({ size: { rows: terminal.rows, columns: terminal.cols } })
}
socket.addEventListener('open', () => {
  resize()
  terminal.focus()
})
socket.addEventListener('message', ({ data }) => terminal.write(new Uint8Array(data)))
socket.addEventListener('close', () => terminal.write('\r\nThe console has ended. Reload the page for a new one.\r\n'))
terminal.onData((keys) => send({ keys }))
addEventListener('resize', resize)
