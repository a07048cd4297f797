import { randomUUID } from 'node:crypto'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { createTransport } from 'nodemailer'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'

/** One mail to one reader, plain text. */
interface Mail {
  readonly to: string
  readonly subject: string
  readonly text: string
}

/** Sends mail. Disposing closes its connections. */
export interface Mailer extends Disposable {
  send(mail: Mail): Promise<void>
}

/** Sends through an SMTP server. `url` is `smtp://` or `smtps://`, with the login in it. */
export function smtpMailer(url: string, from: string): Mailer {
  const transport = createTransport(url)
  return {
    async send(mail) {
      await transport.sendMail({ from, ...mail })
    },
    [Symbol.dispose]: () => transport.close(),
  }
}

/** Keeps each mail as an `.eml` file: what a mail program opens. The default where no SMTP server is named. */
export function fileMailer(folder: string, from: string): Mailer {
  return {
    async send(mail) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const bytes = await new MailComposer({ from, ...mail }).compile().build()
      const name = path.join(folder, `${randomUUID()}.eml`)
      // Whoever watches the folder never sees half a mail.
      await writeFile(`${name}.part`, bytes, { mode: 0o600 })
      await rename(`${name}.part`, name)
    },
    [Symbol.dispose]() {},
  }
}
