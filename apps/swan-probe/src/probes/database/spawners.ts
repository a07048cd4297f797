import { defineProbe } from '../probe.ts'
import { databaseOrder, databaseParams, judge, readRecord } from './record.ts'

export const databaseSpawners = defineProbe({
  group: 'database',
  name: 'spawners',
  logName: 'test_spawners',
  summary: "Looks for the user's spawner and whether it holds a server.",
  passes: 'active: its row has a server; delete: it has none. The row itself stays for ever once there was a server.',
  params: databaseParams('spawners'),
  measures: ['open_seconds'],
  timeLimit: () => 10,
  places: ({ path }) => [path],
  order: databaseOrder,
  async run(context, values) {
    const { spawner } = await readRecord(context, values, 'spawners')
    judge(
      context,
      values,
      spawner === undefined || spawner.serverId === null ? undefined : `[(${spawner.id},)]`,
      'spawner with a server',
    )
  },
})
