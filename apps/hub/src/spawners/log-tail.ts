import { open } from 'node:fs/promises'

/** Bytes read from the end of a log. */
const TAIL_BYTES = 8192

/** The last lines of a log file without colour codes, empty when there is none. */
export async function readTail(file: string, lines = 40): Promise<string> {
  let handle
  try {
    handle = await open(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES))
    await handle.read(buffer, 0, buffer.length, size - buffer.length)
    // eslint-disable-next-line no-control-regex -- terminal colours begin with the escape character
    const text = buffer.toString('utf8').replace(/\u001b\[[\d;]*m/g, '')
    return text.trimEnd().split('\n').slice(-lines).join('\n')
  } finally {
    await handle.close()
  }
}
