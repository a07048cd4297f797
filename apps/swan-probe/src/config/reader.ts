import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument, visit } from 'yaml'

import { ProbeError } from '../errors.ts'

/** A key of a map and what stands there. */
export interface Field {
  readonly key: string
  readonly at: Node
  readonly value: ParsedNode | null
}

/** A YAML file whose every complaint names its line and column. */
export class YamlReader {
  readonly #lines = new LineCounter()
  readonly #document
  readonly #file: string
  readonly #problems: string[] = []

  /** @throws {@link ProbeError} `PROBE_CONFIG` when the text is not YAML. */
  constructor(file: string, text: string) {
    this.#file = file
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, version: '1.1' })
    for (const error of this.#document.errors) this.#problems.push(`${this.#where(error.pos[0])}: ${error.message}`)
    visit(this.#document, {
      Alias: (_, alias) => {
        if (alias.resolve(this.#document) === undefined) this.complain(alias, `\`*${alias.source}\` stands for nothing`)
      },
    })
    this.finish()
  }

  get root(): ParsedNode | null {
    return this.#document.contents
  }

  /** Notes a complaint about a place; all are shown together at the end. */
  complain(node: Node | null | undefined, message: string): void {
    this.#problems.push(`${this.#where(node?.range?.[0] ?? 0)}: ${message}`)
  }

  /** @throws {@link ProbeError} `PROBE_CONFIG` with every complaint, one a line. */
  finish(): void {
    if (this.#problems.length > 0) throw new ProbeError('PROBE_CONFIG', this.#problems.join('\n'))
  }

  /** Reads a map's fields; complains when the node is something else. Nothing at all is an empty map. */
  fields(node: ParsedNode | null, what: string): readonly Field[] {
    const target = isAlias(node) ? node.resolve(this.#document) : node
    if (target === null || target === undefined || (isScalar(target) && target.value === null)) return []
    if (!isMap(target)) {
      this.complain(node, `Expected ${what} to be a map of keys and values`)
      return []
    }
    return target.items.map((item) => {
      const key = item.key as ParsedNode
      return {
        key: isScalar(key) ? String(key.value) : key.toString(),
        at: key,
        value: item.value as ParsedNode | null,
      }
    })
  }

  /** Gives a node as it was typed, texts all through: `10:20` is a range here, and a number of YAML 1.1 elsewhere. */
  typed(node: ParsedNode | null): unknown {
    if (isScalar(node)) return node.source ?? node.value
    if (!isMap(node)) return this.plain(node)
    return Object.fromEntries(this.fields(node, '').map(({ key, value }) => [key, this.typed(value)]))
  }

  /** Gives the plain value of a node. */
  plain(node: ParsedNode | null): unknown {
    if (node === null) return null
    // A port such as 0443 or a name such as 1e3 is what was typed, not what YAML makes of it.
    if (isScalar(node) && typeof node.value === 'number' && node.source !== undefined) {
      return String(node.value) === node.source ? node.value : node.source
    }
    if (isSeq(node)) return node.items.map((item) => this.plain(item as ParsedNode))
    return node.toJS(this.#document) as unknown
  }

  #where(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${this.#file}:${line}:${col}`
  }
}
