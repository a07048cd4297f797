/** Cost of argon2id. */
export interface Argon2Cost {
  /** Memory, in KiB. Minimum 19456 with 2 passes, or 12288 with 3 and more, or 47104 with 1. */
  readonly memoryKib: number
  /** Passes over the memory. */
  readonly passes: number
  /** Lanes. */
  readonly parallelism: number
}

/** Makes and checks the strings that stand for passwords. Works off the main thread. */
export interface PasswordHasher {
  /** Makes a PHC string with a salt of its own. */
  hash(password: string): Promise<string>
  /** Tells whether the password made the string; `false` for a string it cannot read. */
  verify(hash: string, password: string): Promise<boolean>
  /** Tells whether the string is weaker than what {@link PasswordHasher.hash} makes now. */
  isOutdated(hash: string): boolean
}

/** The floor of OWASP's cheat sheet (read July 2025), which ASVS 5 approves too. */
export const FLOOR: Argon2Cost = { memoryKib: 19_456, passes: 2, parallelism: 1 }

/**
 * Checks that a cost is not below the accepted floors.
 *
 * @throws RangeError naming the accepted combinations.
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
 */
export function checkCost(cost: Argon2Cost): Argon2Cost {
  const { memoryKib, passes, parallelism } = cost
  const floor = passes >= 3 ? 12_288 : passes === 2 ? 19_456 : 47_104
  const whole = [memoryKib, passes, parallelism].every((value) => Number.isInteger(value) && value >= 1)
  if (!whole || memoryKib < floor || memoryKib > 4_194_304 || passes > 64 || parallelism > 64) {
    throw new RangeError(
      `Expected argon2id with at least 19456 KiB and 2 passes (or 12288 and 3, or 47104 and 1), got ${memoryKib} KiB, ${passes} passes, ${parallelism} lanes`,
    )
  }
  return cost
}

const PHC = /^\$argon2id\$v=19\$([mtp=\d,]+)\$[A-Za-z0-9+/]{16,}\$[A-Za-z0-9+/]{27,}$/

/** Reads the cost of a PHC string, in whichever order a library wrote it; `undefined` when it is not argon2id. */
export function readCost(hash: string): Argon2Cost | undefined {
  const parameters = PHC.exec(hash)?.[1]
  if (parameters === undefined) return undefined
  const read = (name: string) => Number(new RegExp(`(?:^|,)${name}=(\\d{1,9})(?:,|$)`).exec(parameters)?.[1] ?? 0)
  return { memoryKib: read('m'), passes: read('t'), parallelism: read('p') }
}

/** Tells whether a login can pay a stored cost: what asks for more memory than there is ends the process. */
export function isBearable({ memoryKib, passes, parallelism }: Argon2Cost): boolean {
  const lanes = parallelism >= 1 && parallelism <= 64
  return lanes && passes >= 1 && passes <= 64 && memoryKib >= 8 * parallelism && memoryKib <= 1_048_576
}

/** Tells whether a stored cost is below the wanted one in any respect. */
export function isWeaker(hash: string, wanted: Argon2Cost): boolean {
  const found = readCost(hash)
  return (
    found === undefined ||
    found.memoryKib < wanted.memoryKib ||
    found.passes < wanted.passes ||
    found.parallelism < wanted.parallelism
  )
}

/**
 * Argon2id by the `argon2` package: 16 bytes of salt, 32 bytes of tag.
 *
 * @throws RangeError when the cost is below the floor.
 */
export function argon2Hasher(cost: Argon2Cost = FLOOR): PasswordHasher {
  checkCost(cost)
  // Loaded at the first hash: a process that only checks sessions starts without the addon.
  const load = () => import('argon2').then((module) => module.default)
  return {
    async hash(password) {
      const argon2 = await load()
      return argon2.hash(password, {
        type: argon2.argon2id,
        memoryCost: cost.memoryKib,
        timeCost: cost.passes,
        parallelism: cost.parallelism,
        hashLength: 32,
      })
    },
    async verify(hash, password) {
      return readCost(hash) !== undefined && (await load()).verify(hash, password)
    },
    isOutdated: (hash) => isWeaker(hash, cost),
  }
}
