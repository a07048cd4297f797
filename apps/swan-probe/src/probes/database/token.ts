import { defineProbe } from '../probe.ts'
import { databaseOrder, databaseParams, judge, readRecord } from './record.ts'

export const databaseToken = defineProbe({
  group: 'database',
  name: 'token',
  logName: 'test_token',
  summary: "Looks for the token that the hub gave to the user's server.",
  passes: 'active: the user has a token whose note is `Server at .../user/NAME/`; delete: there is none.',
  params: databaseParams('api_tokens'),
  measures: ['open_seconds'],
  timeLimit: () => 10,
  places: ({ path }) => [path],
  order: databaseOrder,
  async run(context, values) {
    const { tokenNotes } = await readRecord(context, values, 'tokens')
    // The hub writes the path with the user's name escaped as in an address.
    const names = [values.user, encodeURIComponent(values.user)]
    const ends = names.map((name) => `/user/${name}/${values.server === '' ? '' : `${values.server}/`}`)
    const note = tokenNotes.find((text) => text.startsWith('Server at ') && ends.some((end) => text.endsWith(end)))
    judge(context, values, note, "token of the user's server")
  },
})
