import { argon2Hasher } from '../src/index.ts'

export const hasher = argon2Hasher()
export const PASSWORD = 'staple battery 3'
export const stored = await hasher.hash(PASSWORD)

export const ratio = (value: number): string => `${value.toFixed(2)} ×`
export const percent = (value: number): string => `${(value * 100).toFixed(1)} %`
