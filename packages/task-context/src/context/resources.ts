import { toError } from '../errors.ts'
import type { BaseFields } from './fields.ts'

/** Something that each job gets of its own: opened before it, closed after it. */
export interface Resource<Value> {
  readonly open: (fields: BaseFields, signal: AbortSignal) => Value | Promise<Value>
  readonly close?: (value: Value) => void | Promise<void>
}

/** Resources by name, in the order they are opened; `Values` are what handlers find. */
export type Resources<Values extends object> = { readonly [Name in keyof Values]: Resource<Values[Name]> }

/** Resources of one run. */
export interface OpenResources {
  readonly values: Readonly<Record<string, unknown>>
  /** Closes in reverse order, each once; returns the errors instead of throwing them. */
  readonly close: () => Promise<Error[]>
}

/** Opens all, in order; when one fails, closes those before it and rejects with its error. */
export async function openResources(
  resources: Resources<object>,
  fields: BaseFields,
  signal: AbortSignal,
): Promise<OpenResources> {
  const values: Record<string, unknown> = Object.create(null)
  const closers: (() => void | Promise<void>)[] = []
  const close = async () => {
    const errors: Error[] = []
    for (const closer of closers.splice(0).reverse()) {
      try {
        await closer()
      } catch (error) {
        errors.push(toError(error))
      }
    }
    return errors
  }
  try {
    for (const [name, resource] of Object.entries(resources as Readonly<Record<string, Resource<never>>>)) {
      const value = await resource.open(fields, signal)
      values[name] = value
      closers.push(() => resource.close?.(value as never))
    }
  } catch (error) {
    await close()
    throw error
  }
  return { values: Object.freeze(values), close }
}
