/** A priority queue: `take` gives what comes before all others, each step in logarithmic time. */
export interface Heap<T> {
  readonly size: number
  readonly first: () => T | undefined
  readonly add: (item: T) => void
  readonly take: () => T | undefined
  /** Takes one that matches out of the middle, in linear time; answers whether there was one. */
  readonly remove: (matches: (item: T) => boolean) => boolean
}

/** Makes a binary heap. Items that neither come before the other leave in any order. */
export function createHeap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = []

  /** Moves the hole at `index` towards the leaves until `item` fits into it. */
  function sink(item: T): void {
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      if (left >= items.length) break
      const right = left + 1
      const child = right < items.length && before(items[right]!, items[left]!) ? right : left
      if (!before(items[child]!, item)) break
      items[index] = items[child]!
      index = child
    }
    items[index] = item
  }

  function add(item: T): void {
    let index = items.length
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(item, items[parent]!)) break
      items[index] = items[parent]!
      index = parent
    }
    items[index] = item
  }

  return {
    get size() {
      return items.length
    },
    first: () => items[0],
    add,
    remove(matches) {
      const found = items.findIndex(matches)
      if (found === -1) return false
      // All before it stand where they may stand; those behind find their places again.
      for (const item of items.splice(found).slice(1)) add(item)
      return true
    },
    take() {
      const first = items[0]
      const last = items.pop()
      if (items.length > 0) sink(last!)
      return first
    },
  }
}
