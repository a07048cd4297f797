import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { format } from 'node:util'

import { expect, test, vi } from 'vitest'

const root = path.join(import.meta.dirname, '..')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')

const OUTPUT: Readonly<Record<string, string>> = {
  'first-steps.ts': `[ { title: 'PyCon' } ]
2
2`,
  'cascade.ts': `{ sessions: 1 }
SOFT_DELETE_PARENT_TRASHED
[ { title: 'Opening' } ]`,
  'plain-delete.ts': `update "events" set "deleted_at" = current_timestamp where "id" = ? and "events"."deleted_at" is null
delete from "events" where "id" = ?`,
  'http.ts': `[{"title":"PyCon"}]
[{"title":"FOSDEM"}]
403
{"errors":[{"status":"400","code":"SOFT_DELETE_BAD_PARAMETER","source":{"parameter":"with_trashed"}}]}`,
  'schema.ts': `Unique key "sqlite_autoindex_events_1" holds trashed rows too: their values cannot be used again. create unique index "events_slug_live" on "events" ("slug") where "deleted_at" is null
No index starts with "deleted_at": every prune reads the whole table. create index "events_trash" on "events" ("deleted_at") where "deleted_at" is not null`,
}

test('every example has its output here', () => {
  expect(readdirSync(path.join(root, 'examples')).toSorted()).toEqual(Object.keys(OUTPUT).toSorted())
})

test.each(Object.entries(OUTPUT))('examples/%s prints what is expected', async (name, output) => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
    lines.push(format(...values))
  })
  await import(path.join(root, 'examples', name))
  expect(lines.join('\n')).toBe(output)
})

test('each TypeScript snippet of the README is part of an example', () => {
  const examples = Object.keys(OUTPUT).map((name) => normal(readFileSync(path.join(root, 'examples', name), 'utf8')))
  const snippets = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => normal(code!))
  expect(snippets.length).toBeGreaterThan(0)
  expect(snippets.filter((snippet) => !examples.some((example) => example.includes(snippet)))).toEqual([])
})

function normal(code: string): string {
  return code.replaceAll(/\s+/g, ' ').trim()
}
