// The two commands of a fresh machine. Plain JavaScript without dependencies: it runs on whatever Node ≥ 20 is there,
// installs the pinned tools, and hands over to the pinned Node.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const bin = path.join(root, 'node_modules', '.bin')
const [command, ...args] = process.argv.slice(2)

const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 20) {
  console.error(`Node 20 or newer is needed to begin, this is ${process.version}: https://nodejs.org/en/download`)
  process.exit(1)
}

/** Runs a program to its end with our terminal; resolves to its exit code. */
function run(program, programArgs, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, programArgs, {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}`, ...env },
    })
    // Ctrl-C reaches the child through the terminal; a signal sent to us alone must be passed on.
    const ignore = () => {}
    const pass = () => child.kill('SIGTERM')
    process.on('SIGINT', ignore).on('SIGTERM', pass)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.off('SIGINT', ignore).off('SIGTERM', pass)
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1))
    })
  })
}

async function step(name, program, programArgs, env) {
  const started = Date.now()
  console.log(`\n▸ ${name}`)
  const code = await run(program, programArgs, env)
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  if (code !== 0) {
    console.error(`✖ ${name} failed after ${seconds} s (exit code ${code})`)
    process.exit(code)
  }
  console.log(`✔ ${name}, ${seconds} s`)
}

async function install() {
  const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const installArgs = ['install', '--frozen-lockfile', '--reporter=append-only', '--loglevel=warn']
  const pnpm = path.join(bin, 'pnpm')
  if (existsSync(pnpm)) await step('install', pnpm, installArgs)
  else await step('install', 'npx', ['--yes', packageManager, ...installArgs])
}

/** Each line of `npm test`: what a reader sees, and what runs. */
const checks = [
  { name: 'build', program: 'turbo', args: ['run', 'build', '--output-logs=errors-only'] },
  { name: 'lint', program: 'pnpm', args: ['run', '--silent', 'lint'] },
  { name: 'types', program: 'pnpm', args: ['run', '--silent', 'typecheck', '--output-logs=errors-only'] },
  { name: 'licences', program: 'pnpm', args: ['run', '--silent', 'check:licences'] },
  { name: 'documentation', program: 'turbo', args: ['run', 'site', '--output-logs=errors-only'] },
  {
    name: 'packed packages',
    program: 'turbo',
    args: ['run', 'check:pkg', 'check:install', '--output-logs=errors-only'],
  },
  { name: 'tests', program: 'vitest', args: ['run', ...args] },
]

if (command === 'start') {
  await install()
  process.exitCode = await run('node', ['--conditions=@org/source', path.join('scripts', 'demo', 'main.ts'), ...args])
} else if (command === 'test') {
  await install()
  for (const check of checks) await step(check.name, check.program, check.args, { TURBO_TELEMETRY_DISABLED: '1' })
} else {
  console.error(`Expected \`start\` or \`test\`, got \`${command}\`. Use: npm start | npm test`)
  process.exit(2)
}
