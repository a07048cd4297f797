import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)

/** How a stranger installs packages. */
export type PackageManager = 'npm' | 'pnpm' | 'yarn'

const managers: Readonly<Record<PackageManager, (specifiers: readonly string[]) => readonly string[]>> = {
  npm: (specifiers) => ['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', ...specifiers],
  pnpm: (specifiers) => ['npx', '--yes', 'pnpm@12.21.0', 'add', '--reporter=silent', ...specifiers],
  yarn: (specifiers) => ['npx', '--yes', '@yarnpkg/cli-dist@4.18.1', 'add', ...specifiers],
}

/** An empty project in a temporary folder; disposing removes it. */
export class Project implements Disposable {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'project-'))
  readonly #env: NodeJS.ProcessEnv

  /** @param registry - Address that the project's package manager asks. */
  constructor(registry: string) {
    // Yarn resolves the binaries of every platform, and a mirror may lack those of the newest release.
    const resolutions = { 'msgpackr-extract': '3.0.4' }
    this.write('package.json', JSON.stringify({ private: true, resolutions }))
    this.write('.npmrc', `registry=${registry}\n`)
    // Build scripts stay off: the packages must work without, and so must what they bring along.
    this.write('pnpm-workspace.yaml', 'minimumReleaseAge: 0\nstrictDepBuilds: false\npmOnFail: ignore\n')
    // Its own cache too: yarn remembers addresses of tarballs, and the registry has another port each time.
    this.write(
      '.yarnrc.yml',
      `npmRegistryServer: ${registry}\nunsafeHttpWhitelist: [127.0.0.1]\nnodeLinker: node-modules\nenableTelemetry: false\nenableScripts: false\nglobalFolder: ./.yarn\nnpmMinimalAgeGate: 0\n`,
    )
    this.write('yarn.lock', '')
    // Little of our own environment, so that no setting of the workspace helps; the way to the registry is the machine's.
    const kept = /^(PATH|HOME|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|(HTTPS?|NO)_PROXY)$/i
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name)))
    this.#env = { ...own, npm_config_registry: registry, npm_config_prefer_offline: 'true', CI: '' }
  }

  write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.dir, file)), { recursive: true })
    writeFileSync(path.join(this.dir, file), text)
  }

  async install(manager: PackageManager, specifiers: readonly string[]): Promise<void> {
    const [program = '', ...args] = managers[manager](specifiers)
    await this.run(program, args)
  }

  /** Runs a program in the project; its output is the error's message when it fails. */
  async run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    try {
      const { stdout } = await exec(program, args, { cwd: this.dir, env: { ...this.#env, ...env }, timeout: 300_000 })
      return stdout
    } catch (error) {
      const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string }
      throw new Error(`${message.split('\n')[0]}\n${stdout}${stderr}`.trim(), { cause: error })
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/**
 * Gives the program of a Node version, from npm's platform packages; downloaded once into `cache`.
 *
 * @param version - An exact version, such as `22.18.0`.
 */
export async function nodeBinary(cache: string, version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const folder = path.join(cache, version)
  const binary = path.join(folder, 'node_modules', name, 'bin', 'node')
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
    const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', `${name}@${version}`]
    await exec('npm', args, { cwd: folder })
  }
  return binary
}
