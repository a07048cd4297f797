import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { vi } from 'vitest'

// The engine and the machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const run = promisify(execFile)

const label = 'org.swan-probe.test'
const programs = ['/bin/sh', '/bin/ls', '/bin/true', '/bin/sleep', '/bin/cat']

/** Containers made from this machine's own programs, since no image can be fetched. */
export interface Containers extends AsyncDisposable {
  /**
   * Runs a container; its name is the one given.
   *
   * @param command - What it runs, `sleep` by default.
   */
  run(
    name: string,
    options?: { readonly flags?: readonly string[]; readonly command?: readonly string[] },
  ): Promise<void>
  docker(...words: readonly string[]): Promise<string>
}

/** Builds an image with a shell, a few programs and one ordinary user, and no Node. */
export async function makeContainers(user: string): Promise<Containers> {
  const docker = async (...words: readonly string[]) => (await run('docker', words)).stdout.trim()
  const root = mkdtempSync(path.join(tmpdir(), 'image-'))
  for (const folder of ['tmp', 'etc', 'home/user2', 'usr/local/bin'])
    mkdirSync(path.join(root, folder), { recursive: true })
  // Node comes in later, and its libraries must be there by then.
  for (const program of [...programs, process.execPath]) {
    if (program !== process.execPath) copy(program, root)
    for (const library of await librariesOf(program)) copy(library, root)
  }
  writeFileSync(path.join(root, 'etc/passwd'), `root:x:0:0::/:/bin/sh\n${user}:x:1002:1002::/home/user2:/bin/sh\n`)
  const image = `swan-probe-test:${randomBytes(6).toString('hex')}`
  await run('sh', ['-c', `tar -C "$1" -c . | docker import --change 'CMD ["sleep","3600"]' - "$2"`, 'sh', root, image])
  rmSync(root, { recursive: true })
  const names: string[] = []
  return {
    docker,
    async run(name, { flags = [], command = [] } = {}) {
      names.push(name)
      await docker(
        'run',
        '-d',
        '--init=false',
        '--label',
        label,
        '--name',
        name,
        '--network',
        'none',
        ...flags,
        image,
        ...command,
      )
    },
    async [Symbol.asyncDispose]() {
      if (names.length > 0) await docker('rm', '-f', ...names)
      await docker('rmi', '-f', image)
    },
  }
}

async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program])
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].flatMap((match) => match[1] ?? [])
}

function copy(file: string, root: string): void {
  const target = path.join(root, file)
  mkdirSync(path.dirname(target), { recursive: true })
  cpSync(realpathSync(file), target)
}
