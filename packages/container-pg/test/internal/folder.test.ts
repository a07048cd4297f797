import { rmSync } from 'node:fs'
import path from 'node:path'

import { expect, test } from 'vitest'

import { openFolder, prepareFolder, sameFolder } from '../../src/storage/folder.ts'
import { temporaryFolder } from '../embedded/fixtures.ts'

test('a folder that is taken away while it is worked in is missing, with its code', async () => {
  const root = temporaryFolder()
  await using folder = await openFolder(root, 'a', { make: true })
  expect(await sameFolder(folder)).toBe(true)
  rmSync(path.join(root, 'a'), { recursive: true })
  expect(await sameFolder(folder)).toBe(false)
  await expect(prepareFolder(folder)).rejects.toMatchObject({ code: 'STORAGE_MISSING', remedy: expect.any(String) })
})
