import { describe, expect, test } from 'vitest'

import { migrate } from '../src/index.ts'
import { databases, openUrl } from './support/databases.ts'

describe.each(databases)('the tables on %s', (_, createDatabase) => {
  test('are made once, by whoever comes first, and beside those of another schema', async () => {
    await using other = await createDatabase()
    await migrate(other.db)
    await using database = await createDatabase()
    const statements: string[] = []
    await using db = openUrl(database.url, (statement) => statements.push(statement))
    await using second = openUrl(database.url)
    await Promise.all([migrate(db), migrate(second)])
    statements.length = 0
    await migrate(db)
    expect(statements.filter((statement) => /^(?:create|alter|drop)/i.test(statement))).toEqual([])
    expect(JSON.parse(await database.dump())).toEqual([[], [], [], [], [], []])
  })
})
