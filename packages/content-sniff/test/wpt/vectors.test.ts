import { canonicalType, sniff } from '@org/content-sniff'
import { expect, test } from 'vitest'

import { DIFFERENCES, type Difference } from './differences.ts'
import { markupVectors, signatureVectors, type Vector } from './vectors.ts'

const differenceOf = ({ name }: Vector): Difference | undefined => DIFFERENCES.find(({ vectors }) => vectors.test(name))

test('the table is whole', () => {
  expect(signatureVectors().length).toBe(84)
  expect(markupVectors().length).toBe(364)
})

test('every input is what the standard says, but for the written differences', async () => {
  const wrong: string[] = []
  for (const vector of [...signatureVectors(), ...markupVectors()]) {
    const { mime } = await sniff(vector.bytes)
    const expected = differenceOf(vector)?.answer(vector.name) ?? canonicalType(vector.expected)
    if (mime !== expected) wrong.push(`${vector.name}: expected ${expected}, got ${mime}`)
  }
  expect(wrong).toEqual([])
})

test('each written difference is one', () => {
  const vectors = [...signatureVectors(), ...markupVectors()]
  const unused = DIFFERENCES.filter((difference) => !vectors.some((vector) => differenceOf(vector) === difference))
  const agreed = vectors.filter(
    (vector) => differenceOf(vector)?.answer(vector.name) === canonicalType(vector.expected),
  )
  expect({ unused, agreed: agreed.map(({ name }) => name) }).toEqual({ unused: [], agreed: [] })
})

test('no difference makes anything less active than the standard, but a comment alone', () => {
  const active = /html|xml/
  const tamed = [...signatureVectors(), ...markupVectors()].filter((vector) => {
    const answer = differenceOf(vector)?.answer(vector.name)
    return answer !== undefined && active.test(vector.expected) && !active.test(answer)
  })
  expect(tamed.filter(({ name }) => !name.includes('<!--')).map(({ name }) => name)).toEqual([])
})
