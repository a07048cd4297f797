// Dredd loads hooks as CommonJS and gives them this module itself; all work is in the bridge.
const hooks = require('hooks')

let bridge

hooks.beforeAll(async (_, done) => {
  const { createBridge } = await import('./bridge.ts')
  bridge = await createBridge(process.env.POSTGRES_URL)
  done()
})
hooks.beforeEach(async (transaction, done) => {
  await bridge.beforeEach(transaction)
  done()
})
hooks.afterEach(async (_, done) => {
  await bridge.afterEach()
  done()
})
hooks.afterAll(async (_, done) => {
  await bridge.close()
  done()
})
