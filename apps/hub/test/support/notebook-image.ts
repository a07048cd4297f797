import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import Docker from 'dockerode'

const run = promisify(execFile)

/** Folders of this machine that the test image takes its programs from. */
export const HOST_FOLDERS = Object.fromEntries(
  ['/usr', '/etc/alternatives', '/etc/jupyter', '/etc/python3.11', '/etc/mime.types']
    .filter((folder) => existsSync(folder))
    .map((folder) => [folder, folder]),
)

/**
 * Builds the image of a notebook server: the skeleton of a root file system, to which a test mounts the machine's own
 * `/usr` read-only. Built in a moment, pulls nothing, and runs the very `jupyterhub-singleuser` that is installed.
 */
export async function ensureNotebookImage(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(import.meta.filename))
  const tag = `org-hub-notebook:${hash.digest('hex').slice(0, 12)}`
  const docker = new Docker()
  try {
    await docker.getImage(tag).inspect()
    return tag
  } catch {
    // Built below.
  }
  const staging = await mkdtemp(path.join(tmpdir(), 'notebook-image-'))
  try {
    const root = path.join(staging, 'root')
    for (const folder of ['etc', 'usr', 'tmp', 'home/jovyan', 'proc', 'sys', 'dev', 'var/tmp', 'root']) {
      await mkdir(path.join(root, folder), { recursive: true })
    }
    for (const link of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${link}`, path.join(root, link))
    const passwd = 'root:x:0:0:root:/root:/bin/sh\njovyan:x:1000:1000::/home/jovyan:/bin/sh\n'
    await writeFile(path.join(root, 'etc/passwd'), passwd)
    await writeFile(path.join(root, 'etc/group'), 'root:x:0:\njovyan:x:1000:\n')
    await writeFile(path.join(root, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n')
    await writeFile(
      path.join(staging, 'Dockerfile'),
      'FROM scratch\nADD root.tar /\nENV PATH=/usr/bin:/bin\nUSER 1000:1000\nWORKDIR /home/jovyan\n',
    )
    await run('chmod', ['1777', path.join(root, 'tmp'), path.join(root, 'var/tmp')])
    await run('tar', [
      '-C',
      root,
      '--numeric-owner',
      '--exclude=./home/jovyan',
      '-cf',
      path.join(staging, 'root.tar'),
      '.',
    ])
    const home = ['--owner=1000', '--group=1000', '-rf', path.join(staging, 'root.tar'), './home/jovyan']
    await run('tar', ['-C', root, '--numeric-owner', ...home])
    await run('tar', ['-C', staging, '-cf', path.join(staging, 'context.tar'), 'Dockerfile', 'root.tar'])
    const stream = await docker.buildImage(path.join(staging, 'context.tar'), {
      t: tag,
      labels: { 'org.test-image': 'hub' },
    })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    docker.modem.followProgress(stream, (error: Error | null, lines: readonly { error?: string }[]) => {
      const failed = error ?? lines.map((line) => line.error).find((each) => each !== undefined)
      if (failed === undefined || failed === null) resolve()
      else reject(new Error(String(failed)))
    })
    await promise
    return tag
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}
