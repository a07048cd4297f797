import { defineProbe } from '../probe.ts'
import { databaseOrder, databaseParams, judge, readRecord } from './record.ts'

export const databaseServers = defineProbe({
  group: 'database',
  name: 'servers',
  logName: 'test_servers',
  summary: "Looks for the row of the user's server.",
  passes: "active: the user's spawner has a server row; delete: it has none. Rows of other users do not count.",
  params: databaseParams('servers'),
  measures: ['open_seconds'],
  timeLimit: () => 10,
  places: ({ path }) => [path],
  order: databaseOrder,
  async run(context, values) {
    const { server } = await readRecord(context, values, 'servers')
    judge(context, values, server && `[(${server.port}, '${server.baseUrl}')]`, 'server row')
  },
})
