import { execFile, spawnSync } from 'node:child_process'
import { createWriteStream, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

import { describeWith, ensurePostgresImage } from '@org/services'
import Docker from 'dockerode'
import { expect, onTestFinished, test } from 'vitest'

const able = process.getuid?.() === 0 && existsSync('/usr/sbin/dockerd') && existsSync('/usr/bin/unshare')

await describeWith('docker', 'an engine that restarts', () => {
  test.runIf(able)(
    'servers come back with their data, after an orderly restart and after a crash of the engine',
    async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'cpg-engine-'))
      onTestFinished(() => {
        // The engine mounts its folder on itself, and not every kernel keeps that inside.
        spawnSync('umount', ['-l', path.join(folder, 'data')])
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
      })
      const image = await ensurePostgresImage()
      const imageFile = path.join(folder, 'image.tar')
      await pipeline(await new Docker().getImage(image).get(), createWriteStream(imageFile))
      const script = path.join(import.meta.dirname, 'own-daemon.ts')
      const { stdout } = await promisify(execFile)('unshare', [
        '-n',
        process.execPath,
        script,
        folder,
        image,
        imageFile,
      ])
      expect(JSON.parse(stdout)).toMatchObject({
        SIGTERM: [{ one: 1 }],
        SIGKILL: [{ one: 1 }],
        state: 'running',
        heard: expect.arrayContaining(['started a']),
        left: 0,
      })
    },
    150_000,
  )
})
