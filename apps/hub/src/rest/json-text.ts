import { hash } from 'node:crypto'

/** JSON as it is sent, with the tag by which a client tells whether it has changed. */
export interface JsonText {
  readonly text: string
  readonly etag: string
}

/** Writes a value as JSON with its tag. */
export function jsonText(value: unknown): JsonText {
  const text = JSON.stringify(value)
  return { text, etag: `"${hash('sha1', text, 'base64url')}"` }
}
