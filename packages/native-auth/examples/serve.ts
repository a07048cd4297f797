import { serve } from '@hono/node-server'

import { app } from './quick-start.ts'

serve({ fetch: app.fetch, port: Number(process.env['PORT'] ?? 8000) }, ({ port }) => {
  console.log(`http://localhost:${port}`)
})
