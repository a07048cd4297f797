import type { ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'

import { addFormats } from '../../src/jsonapi/formats.ts'
import type { OpenApiDocument } from '../../src/openapi/document.ts'
import type { Answer } from '../support/world.ts'
import type { DescribedAnswer, Described } from './compile.ts'

/** Checks answers against the description; returns what is wrong, in words. */
export type Validator = (operation: Described, status: number, answer: Answer) => string[]

/**
 * Compiles the description into a validator that is stricter than the description: where nothing was left out on
 * purpose by `fields`, each documented attribute and relationship must be there.
 */
export function createValidator(document: OpenApiDocument): Validator {
  const ajv = addFormats(new Ajv2020({ allErrors: true, strict: false }))
  const strict = structuredClone(document) as { components: { schemas: Record<string, ResourceSchema> } }
  for (const schema of Object.values(strict.components.schemas)) {
    if (schema.properties?.links === undefined || schema.properties.type === undefined) continue
    for (const part of [schema.properties.attributes, schema.properties.relationships]) {
      if (part?.properties !== undefined) part.required = Object.keys(part.properties)
    }
  }
  ajv.addSchema(strict as object, 'description')
  const compiled = new Map<string, ValidateFunction>()

  return (operation, status, answer) => {
    const described: DescribedAnswer | undefined = operation.responses[status]
    if (described === undefined) return [`status ${status} is not documented`]
    const wrong: string[] = []
    for (const name of Object.keys(described.headers ?? {})) {
      if (!answer.headers.has(name)) wrong.push(`header ${name} is missing`)
    }
    const [mediaType, content] = Object.entries(described.content ?? {})[0] ?? []
    if (mediaType === undefined || content === undefined) return wrong
    const given = answer.headers.get('content-type')?.split(';')[0]
    if (given !== mediaType) return [...wrong, `expected ${mediaType}, got ${given}`]
    if (answer.json === undefined) return wrong
    const key = `${operation.operationId} ${status}`
    const check = compiled.get(key) ?? ajv.compile(absolute(content.schema) as object)
    compiled.set(key, check)
    if (check(answer.json)) return wrong
    return [
      ...wrong,
      ...(check.errors ?? []).map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`),
    ]
  }
}

interface ObjectSchema {
  properties?: Record<string, unknown>
  required?: string[]
}

interface ResourceSchema {
  properties?: { type?: unknown; links?: unknown; attributes?: ObjectSchema; relationships?: ObjectSchema }
}

/** References of the description, seen from outside it. */
function absolute(schema: unknown): unknown {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"description#/components'))
}
