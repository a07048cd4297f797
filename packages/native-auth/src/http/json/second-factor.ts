import type { Enrolment } from '../../second-factor/second-factor.ts'
import { readJsonObject } from '../body.ts'
import type { Call, Site } from '../call.ts'
import type { Route } from '../route.ts'
import { countClient } from '../limits.ts'
import { json } from '../respond.ts'
import { Fields } from './fields.ts'
import { jsonRoute, loggedIn } from './json-route.ts'
import { NativeAuthError } from '../../errors.ts'

/** The second step of a login, and the care of the second factor. */
export function factorRoutes<Profile>({ auth }: Site<Profile>): readonly Route<Profile>[] {
  const { secondFactor } = auth
  return [
    jsonRoute('POST', '/login/code', async (call) => {
      await countClient(call, 'logins')
      const fields = new Fields(readJsonObject(call))
      const [challenge, code] = [fields.text('challenge'), fields.text('code')]
      fields.check()
      return loggedIn(call, await secondFactor.complete(challenge, code, call.client()))
    }),
    jsonRoute('POST', '/second-factor/start', async (call) => {
      const session = await call.needSession()
      const fields = new Fields(readJsonObject(call))
      const password = fields.text('password')
      fields.check()
      return json(200, present(await secondFactor.start(session, password, call.client())))
    }),
    jsonRoute('POST', '/second-factor/enrolment', async (call) => {
      const fields = new Fields(readJsonObject(call))
      const setup = fields.text('setup')
      fields.check()
      const enrolment = await secondFactor.enrolment(setup)
      if (enrolment !== undefined) return json(200, present(enrolment))
      throw new NativeAuthError('NATIVE_AUTH_INVALID_LINK', 'This set-up is over; begin again')
    }),
    jsonRoute('POST', '/second-factor/confirm', async (call) => {
      await countClient(call, 'logins')
      const fields = new Fields(readJsonObject(call))
      const [setup, code] = [fields.text('setup'), fields.text('code')]
      fields.check()
      const opened = await secondFactor.confirm(setup, code, call.client())
      return loggedIn(call, opened, { recovery_codes: opened.recoveryCodes })
    }),
    jsonRoute('POST', '/second-factor/disable', async (call) => {
      const session = await call.needSession()
      return loggedIn(call, await secondFactor.disable(session, await readProof(call), call.client()))
    }),
    jsonRoute('POST', '/second-factor/recovery-codes', async (call) => {
      const session = await call.needSession()
      const codes = await secondFactor.renewCodes(session, await readProof(call), call.client())
      return json(200, { recovery_codes: codes })
    }),
  ]
}

async function readProof<Profile>(call: Call<Profile>): Promise<{ password: string; code: string }> {
  const fields = new Fields(readJsonObject(call))
  const proof = { password: fields.text('password'), code: fields.text('code') }
  fields.check()
  return proof
}

const present = ({ setup, secret, uri, qrSvg }: Enrolment) => ({ setup, secret, uri, qr_svg: qrSvg })
