import { HelperPool } from '../src/isolation/pool.ts'

/** A pool in which somebody else gets at the first file that is read, after it was written and before it is read. */
export function disturbedPool(disturb: (file: string) => void): HelperPool {
  const pool = new HelperPool()
  const run = pool.run.bind(pool)
  let done = false
  pool.run = (async (...[operation, input, options]: Parameters<typeof run>) => {
    if (operation === 'readFile' && !done) {
      done = true
      disturb((input as { path: string }).path)
    }
    return run(operation, input, options)
  }) as typeof pool.run
  return pool
}
