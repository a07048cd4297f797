import { availableParallelism } from 'node:os'

import { argon2Hasher } from '../src/index.ts'

export const hasher = argon2Hasher()
/** Hashes at once that the package allows by default, here. */
export const CAP = Math.min(3, availableParallelism())
export const PASSWORD = 'staple battery 3'
export const stored = await hasher.hash(PASSWORD)

export const ratio = (value: number): string => `${value.toFixed(2)} ×`
export const percent = (value: number): string => `${(value * 100).toFixed(1)} %`
