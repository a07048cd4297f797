const MAIL_FIELDS = new Set([
  'return-path',
  'received',
  'message-id',
  'mime-version',
  'delivered-to',
  'from',
  'to',
  'cc',
  'subject',
  'date',
  'reply-to',
  'sender',
  'x-mailer',
  'content-type',
  'dkim-signature',
  'x-original-to',
  'references',
  'in-reply-to',
  'content-transfer-encoding',
  'x-mozilla-status',
  'x-received',
  'list-id',
  'user-agent',
  'snapshot-content-location',
])

/** Fields that a mail or a saved page has and hardly anything else. */
const TELLING = new Set([
  'return-path',
  'received',
  'message-id',
  'mime-version',
  'delivered-to',
  'x-mozilla-status',
  'from',
])

/**
 * Recognises messages by their header block, mailboxes, and saved web pages (MHTML), which browsers run.
 *
 * @see https://www.rfc-editor.org/rfc/rfc5322#section-2.2
 */
export function typeOfMail(text: string): string | undefined {
  if (/^From \S+ +(?:\w{3} +\w{3} +\d+|\S+@)/.test(text)) return 'application/mbox'
  const fields: string[] = []
  let multipartRelated = false
  for (const line of text.slice(0, 16_384).split(/\r?\n/)) {
    if (line === '') break
    if (/^[ \t]/.test(line)) {
      if (fields.length === 0) return undefined
      continue
    }
    const field = /^([!-9;-~]+):/.exec(line)?.[1]?.toLowerCase()
    if (field === undefined) {
      // The cut end of a head may break a line anywhere.
      if (fields.length < 8) return undefined
      break
    }
    fields.push(field)
    if (field === 'content-type' && /multipart\/related/i.test(line)) multipartRelated = true
  }
  const known = fields.filter((field) => MAIL_FIELDS.has(field))
  if (known.length < 2 || known.length * 4 < fields.length || !known.some((field) => TELLING.has(field)))
    return undefined
  const saved = known.includes('snapshot-content-location') || /^From: .{0,8}Saved by/im.test(text.slice(0, 4096))
  const isMail = known.some(
    (field) => field === 'received' || field === 'message-id' || field === 'to' || field === 'return-path',
  )
  return multipartRelated && (saved || !isMail) ? 'multipart/related' : 'message/rfc822'
}
