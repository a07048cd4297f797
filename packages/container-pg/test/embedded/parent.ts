import { startEmbeddedPostgres } from '../../src/embedded/index.ts'

// A program of its own, to be killed: tells its server's address in one line and then waits.
const [dataDir, cacheDir] = process.argv.slice(2)
if (dataDir === undefined) throw new Error('usage: parent.ts DATA_DIR [CACHE_DIR]')
const server = await startEmbeddedPostgres({ dataDir, ...(cacheDir === undefined ? {} : { cacheDir }) })
console.log(server.url)
setInterval(() => {}, 1000)
