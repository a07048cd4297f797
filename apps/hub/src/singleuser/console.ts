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

/** What the browser is told: a line, or the end of an input. */
type Answer = { readonly print: string } | { readonly done: string; readonly failed?: boolean }

/** A thread that runs one input at a time; one that runs too long, or ends the thread, costs all names. */
class Evaluator implements Disposable {
  readonly #say: (answer: Answer) => void
  #worker: Worker
  #finish: ((answer: Answer) => void) | undefined

  constructor(say: (answer: Answer) => void) {
    this.#say = say
    this.#worker = this.#start()
  }

  async run(code: string): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    this.#finish = resolve
    const timer = setTimeout(() => {
      void this.#worker.terminate()
      this.#worker = this.#start()
      resolve({ done: `Stopped after ${RUN_MS / 1000} s; all names are forgotten`, failed: true })
    }, RUN_MS)
    this.#worker.postMessage(code)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#finish = undefined
    }
  }

  [Symbol.dispose](): void {
    this.#worker.removeAllListeners()
    // Its last words are nobody's any more, and would end the server.
    this.#worker.on('error', () => {})
    void this.#worker.terminate()
  }

  #start(): Worker {
    const worker = new Worker(evaluator, { eval: true, execArgv: [] })
    worker.on('message', (answer: Answer) => {
      if (worker !== this.#worker) return
      if ('done' in answer) this.#finish?.(answer)
      else this.#say(answer)
    })
    worker.on('error', (error) => (this.#finish ?? this.#say)({ done: inspect(error), failed: true }))
    worker.on('exit', () => {
      if (worker !== this.#worker) return
      this.#worker = this.#start()
      this.#finish?.({ done: 'The program has ended; all names are forgotten', failed: true })
    })
    return worker
  }
}

/**
 * Runs what a browser sends, one input after the other, as long as it may.
 *
 * @param isAllowed - Asked before each input: a connection may outlive the login that opened it.
 */
export function serveConsole(socket: WebSocket, home: string, isAllowed: () => Promise<boolean>): void {
  process.chdir(home)
  const say = (answer: Answer) => socket.send(JSON.stringify(answer))
  const program = new Evaluator(say)
  let isOpen = true
  const run = async (code: string) => {
    if (!isOpen) return
    if (!(await isAllowed())) socket.close(4403, 'Log in again')
    else say(await program.run(code))
  }
  let last = Promise.resolve()
  // Broken frames and too long messages end the connection.
  socket.on('error', () => socket.close())
  socket.on('message', (data) => {
    const code = readCode((data as Buffer).toString())
    if (code === undefined) return socket.close(1007, 'Expected {"code": TEXT}')
    last = last.then(() => run(code)).catch(() => say({ done: 'The hub does not answer; try again', failed: true }))
    return undefined
  })
  socket.on('close', () => {
    isOpen = false
    program[Symbol.dispose]()
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
