import { messageOf, ProbeError } from '../../errors.ts'
import { defineProbe } from '../probe.ts'
import { HubClient } from './client.ts'
import { addressParams, users } from './params.ts'
import { SessionApi } from './sessions.ts'
import { verdictOf } from './verdicts.ts'

export const token = defineProbe({
  group: 'jupyterhub_api',
  name: 'token',
  logName: 'Check_Token',
  summary: 'Tells whether the token is valid and may see the users.',
  passes: 'GET user is 200 with this token, and so is GET users/NAME for every user.',
  params: { ...addressParams, users },
  measures: ['user_seconds'],
  timeLimit: () => 20,
  async run(context, values) {
    if (values.token.trim() === '') throw new ProbeError('PROBE_TOKEN_REJECTED', 'The file gives no token')
    const client = new HubClient(values)
    try {
      const self = await client.api('user', { signal: context.signal })
      if (self.status !== 200) throw await verdictOf(client, self, 'whose token this is', context.signal)
      context.measure({ name: 'user_seconds', value: self.seconds, unit: 's' })
      for (const user of values.users) {
        const model = await new SessionApi(client, user, '', context.signal).model()
        context.log('INFO', `${user} info ${JSON.stringify(outline(model))}`)
      }
      context.log('INFO', 'token is valid')
    } catch (error) {
      context.log('ERROR', messageOf(error))
      throw error
    }
  },
})

/** What a log may show of a user model: an admin's view has the user's authentication state in it. */
const outline = (model: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(['name', 'admin', 'server', 'pending', 'last_activity'].map((key) => [key, model[key]]))
