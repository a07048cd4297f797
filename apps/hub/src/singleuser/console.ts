import { inspect } from 'node:util'
import { Worker } from 'node:worker_threads'

import type { WebSocket } from 'ws'

import { html } from '../pages/html.ts'

/** Longest run of one input, in milliseconds. */
const RUN_MS = 30_000

/** The evaluator: a thread with one context, so that names stay known from input to input. */
const evaluator = `
const { parentPort } = require('node:worker_threads')
const { createContext, Script } = require('node:vm')
const { inspect } = require('node:util')
const say = (...values) => parentPort.postMessage({ print: values.map((each) => typeof each === 'string' ? each : inspect(each)).join(' ') })
const context = createContext({ console: { log: say, error: say }, require, process, Buffer, URL, fetch, setTimeout, clearTimeout })
parentPort.on('message', async (code) => {
  try {
    parentPort.postMessage({ done: inspect(await new Script(code).runInContext(context)) })
  } catch (error) {
    parentPort.postMessage({ done: inspect(error), failed: true })
  }
})`

/** Runs what a browser sends, one input at a time; an input that runs too long costs the context. */
export function serveConsole(socket: WebSocket, home: string): void {
  const start = () => {
    const worker = new Worker(evaluator, { eval: true, execArgv: [] })
    worker.on('message', (message: { readonly done?: string }) => {
      if (message.done !== undefined) clearTimeout(timer)
      socket.send(JSON.stringify(message))
    })
    worker.on('error', (error) => socket.send(JSON.stringify({ done: inspect(error), failed: true })))
    return worker
  }
  process.chdir(home)
  let timer: NodeJS.Timeout | undefined
  let worker = start()
  // Broken frames and too long messages end the connection.
  socket.on('error', () => socket.close())
  socket.on('message', (data) => {
    const code = readCode((data as Buffer).toString())
    if (code === undefined) return socket.close(1007, 'Expected {"code": TEXT}')
    timer = setTimeout(() => {
      void worker.terminate()
      worker = start()
      socket.send(JSON.stringify({ done: `Stopped after ${RUN_MS / 1000} s; all names are forgotten`, failed: true }))
    }, RUN_MS)
    return worker.postMessage(code)
  })
  socket.on('close', () => {
    clearTimeout(timer)
    void worker.terminate()
  })
}

function readCode(text: string): string | undefined {
  try {
    const { code } = JSON.parse(text) as { readonly code?: unknown }
    return typeof code === 'string' ? code : undefined
  } catch {
    return undefined
  }
}

/** The page of the console. */
export const consoleBody = html`<pre id="output" tabindex="0" aria-live="polite"></pre>
  <form id="form">
    <div class="field">
      <label for="code">JavaScript, Ctrl-Enter runs it</label>
      <textarea id="code" spellcheck="false"></textarea>
    </div>
    <div><button>Run</button></div>
  </form>
  <script type="module" src="console.js"></script>`

/** The script of the page. */
export const consoleScript = `
const output = document.querySelector('#output')
const code = document.querySelector('#code')
const form = document.querySelector('#form')
const address = new URL('console/socket', location.href)
address.protocol = address.protocol.replace('http', 'ws')
const socket = new WebSocket(address)
const say = (text) => { output.textContent += text + '\\n' }
socket.addEventListener('message', ({ data }) => {
  const { print, done } = JSON.parse(data)
  say(print ?? done)
})
socket.addEventListener('close', () => say('The connection has ended; reload the page.'))
form.addEventListener('submit', (event) => {
  event.preventDefault()
  say('> ' + code.value)
  socket.send(JSON.stringify({ code: code.value }))
  code.value = ''
})
code.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.ctrlKey) form.requestSubmit()
})
`
