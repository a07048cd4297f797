import { describe, test } from 'vitest'

import { hasService, needs, type Service, services } from './services.ts'

/**
 * Declares a suite that needs real peers; call with `await` at the top of a test file.
 *
 * Where one is missing the suite is skipped and the run says so in one line; with `REQUIRE_SERVICES=1` it fails.
 */
export async function describeWith(
  wanted: Service | readonly Service[],
  name: string,
  body: () => void,
): Promise<void> {
  const list = typeof wanted === 'string' ? [wanted] : wanted
  const found = await Promise.all(list.map(hasService))
  const [missing] = list.filter((_, index) => !found[index])
  if (missing === undefined) {
    describe(name, body)
  } else if (process.env['REQUIRE_SERVICES'] === '1') {
    describe(name, () => {
      test(`has ${missing}`, () => {
        throw new Error(`REQUIRE_SERVICES=1 and ${missing} is missing: ${services[missing].remedy}`)
      })
    })
  } else {
    describe.skip(`${name} ${needs(missing)}`, body)
  }
}
