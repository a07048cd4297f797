/** Says which known word was probably meant, or lists them all. */
export function nearest(word: string, known: readonly string[]): string {
  const plain = (value: string) => value.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  const close = known.find((candidate) => {
    const [a, b] = [plain(candidate), plain(word)]
    return a === b || a.startsWith(b) || b.startsWith(a) || distance(a, b) <= 2
  })
  return close === undefined ? `; expected one of ${known.join(', ')}` : `; did you mean \`${close}\`?`
}

/** Edits between two short words. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
