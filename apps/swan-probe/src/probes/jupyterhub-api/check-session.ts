import { Engine } from '../../docker/engine.ts'
import { ProbeError } from '../../errors.ts'
import { defineProbe, type ProbeContext } from '../probe.ts'
import { HubClient } from './client.ts'
import { containerName } from './container-name.ts'
import { addressParams, container, server, users } from './params.ts'
import { SessionApi } from './sessions.ts'
import { wordsOf } from './verdicts.ts'

export const checkSession = defineProbe({
  group: 'jupyterhub_api',
  name: 'check_session',
  logName: 'Check_Sessions',
  summary: "Tells whether each user's server runs and can be reached.",
  passes:
    'The hub says that the server is ready, and the server itself answers through the proxy. With `container: yes` its container also runs.',
  params: { ...addressParams, users, server, container },
  measures: ['server_seconds'],
  timeLimit: () => 30,
  order: () => ({ chain: 'hub', after: ['jupyterhub_api.create_session'], needs: ['jupyterhub_api.create_session'] }),
  async run(context, values) {
    const client = new HubClient(values)
    for (const user of values.users) {
      try {
        await checkUser(context, client, user, values)
      } catch (error) {
        context.log('ERROR', `${user} server is not present`)
        throw error
      }
    }
  },
})

async function checkUser(
  context: ProbeContext,
  client: HubClient,
  user: string,
  values: { readonly server: string; readonly container: 'yes' | 'no' },
): Promise<void> {
  const session = await new SessionApi(client, user, values.server, context.signal).look()
  if (session.state !== 'ready' || session.url === undefined) {
    const state = { ready: 'has no address', spawn: 'is still starting', stop: 'is stopping', none: 'does not run' }
    throw new ProbeError('PROBE_SESSION_MISSING', `The server of ${user} ${state[session.state]}`)
  }
  // Servers answer this path without a login. With host-based routing the address is on another host, which is not asked.
  if (session.url.startsWith('/')) {
    const answer = await client.call(`${session.url}api`, { signal: context.signal, anonymous: true })
    // Without a route of its own the address leads to the hub, which sends the caller to its own page about the server.
    const location = String(answer.headers['location'] ?? '')
    const astray = answer.status >= 300 && answer.status < 400 && location.includes(`${client.base}hub/user/`)
    if (answer.status >= 500 || answer.status === 424 || answer.status === 404 || astray) {
      throw new ProbeError(
        'PROBE_SESSION_MISSING',
        `The hub says that the server of ${user} is ready, ${session.url} answers ${answer.status} (${astray ? 'the proxy has no route to it' : wordsOf(answer)})`,
      )
    }
    context.measure({ name: 'server_seconds', value: answer.seconds, unit: 's' })
  }
  if (values.container === 'yes') {
    const name = containerName(user, values.server)
    const { running } = await new Engine().inspect(name, context.signal)
    if (!running) throw new ProbeError('PROBE_CONTAINER_STATE', `The container \`${name}\` does not run`)
  }
  context.log('INFO', `${user} server is present at ${session.url}`)
}
