import { ProbeError } from '../../errors.ts'
import { defineProbe } from '../probe.ts'
import { HubClient } from './client.ts'
import { addressParams, delay, options, server, users } from './params.ts'
import { SessionApi } from './sessions.ts'

/** Time kept for putting away what a failed start left, in seconds. */
const stopAllowance = 8

export const createSession = defineProbe({
  group: 'jupyterhub_api',
  name: 'create_session',
  logName: 'Session_Creation_test',
  summary: "Starts each user's server and waits until it is ready.",
  passes:
    'The hub takes the request and the server is ready within `delay` seconds. A session that was there before is left alone, and fails the probe. A start that fails or is late is stopped again.',
  params: { ...addressParams, users, server, params: options, delay },
  measures: ['spawn_seconds'],
  timeLimit: (values) => values.users.length * values.delay + stopAllowance,
  order: () => ({ chain: 'hub', after: [], needs: [] }),
  async run(context, values) {
    const client = new HubClient(values)
    let passed = false
    const stopLater = (user: string) =>
      context.defer(`the session of ${user}`, async ({ signal }) => {
        // Without a stop_session in the file a good session stays: that is what was asked for.
        const wanted = passed && !context.inRun('jupyterhub_api.stop_session')
        if (wanted || foreign.has(user) || context.chain.get('stopped') === true) return
        await new SessionApi(client, user, values.server, signal).stop()
      })
    const foreign = new Set<string>()
    for (const user of values.users) {
      const session = new SessionApi(client, user, values.server, context.signal)
      const before = await session.look()
      if (before.state === 'ready' || before.state === 'spawn') {
        throw foreignSession(user, before.state)
      }
      const limit = AbortSignal.timeout(values.delay * 1000)
      const bounded = new SessionApi(client, user, values.server, AbortSignal.any([context.signal, limit]))
      const started = performance.now()
      stopLater(user)
      try {
        if ((await bounded.start(values.params, started + values.delay * 1000)) === 'running') {
          foreign.add(user)
          throw foreignSession(user, 'started by somebody else a moment ago')
        }
        context.log('INFO', 'Successfully requested the server')
        const { url } = await bounded.waitUntilReady()
        context.measure({ name: 'spawn_seconds', value: (performance.now() - started) / 1000, unit: 's' })
        context.log('INFO', `${user} server successfully created ${url ?? ''}`)
      } catch (error) {
        const late = limit.aborted && !context.signal.aborted
        const failure = late
          ? new ProbeError('PROBE_TIMEOUT', `The server of ${user} was not ready within ${values.delay} s`)
          : error
        context.log('ERROR', `${user} server was not created`)
        throw failure
      }
    }
    passed = true
  },
})

const foreignSession = (user: string, how: string): ProbeError =>
  new ProbeError(
    'PROBE_SESSION_FOREIGN',
    `${user} has a session that this run did not start (${how}); it was left alone`,
  )
