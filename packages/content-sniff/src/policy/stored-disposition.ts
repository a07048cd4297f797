import { parse } from 'content-disposition'

/** What a stored Content-Disposition says; anything unreadable or missing counts as a download without a name. */
export function attachmentName(header: string | undefined): {
  readonly type: 'inline' | 'attachment'
  readonly filename: string | undefined
} {
  if (header === undefined) return { type: 'attachment', filename: undefined }
  try {
    const { type, parameters } = parse(header)
    return { type: type === 'inline' ? 'inline' : 'attachment', filename: parameters['filename'] }
  } catch {
    return { type: 'attachment', filename: undefined }
  }
}
