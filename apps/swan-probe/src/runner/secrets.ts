import type { Entry } from '../config/config.ts'

/** Takes every secret of a run out of whatever is about to be shown. */
export class Redactor {
  readonly #secrets: readonly string[]

  constructor(entries: readonly Entry[]) {
    const found = new Set<string>()
    for (const { probe, values } of entries) {
      for (const [name, param] of Object.entries(probe.params)) {
        const value = values[name]
        // Shorter ones would black out ordinary words; no hub gives such tokens.
        if (param.secret && typeof value === 'string' && value.trim().length >= 4) found.add(value.trim())
      }
    }
    this.#secrets = [...found].sort((a, b) => b.length - a.length)
  }

  clean(text: string): string {
    return this.#secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
  }
}
