import { randomFillSync } from 'node:crypto'

const ID_BYTES = 15
const pool = Buffer.alloc(ID_BYTES * 256)
let offset = pool.length

/**
 * Makes a job id: 120 random bits in 20 characters, behind a letter.
 *
 * BullMQ accepts neither colons nor ids that are all digits; each byte is stored with every job, so no dashes either.
 */
export function randomId(): string {
  if (offset === pool.length) {
    randomFillSync(pool)
    offset = 0
  }
  const id = pool.toString('base64url', offset, offset + ID_BYTES)
  offset += ID_BYTES
  return `j${id}`
}
