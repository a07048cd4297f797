import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'

/**
 * Hashes files, and all files below folders, by relative name and content: a version for {@link databasePool}.
 *
 * @returns 64 hexadecimal digits.
 */
export async function hashFiles(...paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
  for (const top of paths) {
    const isFolder = (await stat(top)).isDirectory()
    const files = isFolder ? (await readdir(top, { recursive: true })).toSorted() : ['']
    for (const file of files) {
      const at = path.join(top, file)
      if (isFolder && !(await stat(at)).isFile()) continue
      const content = await readFile(at)
      // Lengths keep "ab" + "c" and "a" + "bc" apart.
      hash.update(`${file.length}:${file}${content.length}:`).update(content)
    }
  }
  return hash.digest('hex')
}
