import { messageOf, ProbeError } from '../../errors.ts'
import { defineProbe } from '../probe.ts'
import { HubClient } from './client.ts'
import { addressParams } from './params.ts'
import { verdictOf } from './verdicts.ts'

export const checkApi = defineProbe({
  group: 'jupyterhub_api',
  name: 'check_api',
  logName: 'APIReachable',
  summary: 'Tells whether the REST API answers. It proves nothing about the token: the API asks for none here.',
  passes: 'GET hub/api/ is 200 with the version of the hub in JSON.',
  params: addressParams,
  measures: ['api_seconds'],
  timeLimit: () => 10,
  async run(context, values) {
    const client = new HubClient(values)
    try {
      const answer = await client.api('', { signal: context.signal, anonymous: true })
      if (answer.status !== 200) throw await verdictOf(client, answer, 'its version', context.signal)
      const { version } = (answer.json ?? {}) as { version?: unknown }
      if (typeof version !== 'string') {
        throw new ProbeError('PROBE_HUB_ANSWER', `Expected a hub at ${client.url}, its answer has no version`)
      }
      context.measure({ name: 'api_seconds', value: answer.seconds, unit: 's' })
      context.log('INFO', `API is reachable (${version})`)
    } catch (error) {
      context.log('ERROR', `API is not reachable: ${messageOf(error)}`)
      throw error
    }
  },
})
