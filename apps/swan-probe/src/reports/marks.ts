import type { Status } from '../runner/result.ts'

const marks: Readonly<Record<Status, { readonly word: string; readonly colour: number }>> = {
  pass: { word: 'PASS', colour: 32 },
  warn: { word: 'WARN', colour: 33 },
  fail: { word: 'FAIL', colour: 31 },
  error: { word: 'ERROR', colour: 35 },
  skipped: { word: 'SKIP', colour: 90 },
}

/** The word of a verdict, padded, in its colour where wanted. */
export function mark(status: Status, colour: boolean): string {
  const { word, colour: code } = marks[status]
  return colour ? `\u001B[${code}m${word.padEnd(5)}\u001B[0m` : word.padEnd(5)
}
