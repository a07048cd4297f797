import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { SMTPServer } from 'smtp-server'
import { expect, test } from 'vitest'

import { smtpMailer } from '../src/mail.ts'

test('mail goes to an SMTP server where one is named', async () => {
  const received = Promise.withResolvers<string>()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        received.resolve(Buffer.concat(chunks).toString('utf8'))
        done()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  using mailer = smtpMailer(`smtp://127.0.0.1:${port}`, 'Events <events@example.org>')
  await mailer.send({ to: 'olga@example.org', subject: 'Grüße', text: 'Event 1 was changed.\n' })
  const mail = await received.promise
  expect(mail).toContain('From: Events <events@example.org>')
  expect(mail).toContain('To: olga@example.org')
  expect(mail).toContain('Event 1 was changed.')
  const closed = Promise.withResolvers<void>()
  server.close(() => closed.resolve())
  await closed.promise
})
