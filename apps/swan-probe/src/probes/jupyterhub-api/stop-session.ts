import { defineProbe } from '../probe.ts'
import { HubClient } from './client.ts'
import { addressParams, server, users } from './params.ts'
import { SessionApi } from './sessions.ts'

const links = ['jupyterhub_api.create_session', 'jupyterhub_api.check_session']

/** Probes that look at a running session; they run before it is stopped. */
const whileRunning = ['database.token', 'database.servers', 'database.spawners', 'user_docker.docker']

export const stopSession = defineProbe({
  group: 'jupyterhub_api',
  name: 'stop_session',
  logName: 'Stop_Session',
  summary: "Stops each user's server and waits until it is gone.",
  passes: 'The hub takes the request (204, or 202 and time) and has no server of the user afterwards.',
  params: { ...addressParams, users, server },
  measures: ['stop_seconds'],
  timeLimit: (values) => 30 * values.users.length,
  order: (_, others) => ({
    chain: 'hub',
    after: [...links, ...whileRunning.filter((id) => others.values(id)?.['mode'] !== 'delete')],
    needs: links,
  }),
  async run(context, values) {
    const client = new HubClient(values)
    for (const user of values.users) {
      const started = performance.now()
      try {
        await new SessionApi(client, user, values.server, context.signal).stop()
      } catch (error) {
        context.log('ERROR', `${user} server was not removed`)
        throw error
      }
      context.measure({ name: 'stop_seconds', value: (performance.now() - started) / 1000, unit: 's' })
      context.log('INFO', `${user} server was removed`)
    }
    context.chain.set('stopped', true)
  },
})
