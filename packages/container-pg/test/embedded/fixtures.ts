import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { Client } from 'pg'
import { onTestFinished } from 'vitest'

/** A temporary folder that goes away with the test. */
export function temporaryFolder(under: string = tmpdir(), owner?: number): string {
  const folder = mkdtempSync(path.join(under, 'cpg-'))
  if (owner !== undefined) chownSync(folder, owner, owner)
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** Runs one statement on a connection of its own. */
export async function query<Row extends Record<string, unknown>>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  // A connection that breaks says so twice: here, and to who waits for an answer.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}
