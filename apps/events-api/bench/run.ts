import { parseArgs } from 'node:util'

import { freshDatabase } from './fresh-database.ts'
import { requests } from './requests.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
await freshDatabase(values.quick ? 3 : 40)
await requests(values.quick ? 1 : 12)
