import path from 'node:path'

// TypeScript 7 has no compiler API yet; 6 reads the same declarations.
import ts from 'typescript6'

/** One declared name of a package's public surface, with its text in a form that only a real change alters. */
interface ApiItem {
  readonly name: string
  readonly text: string
}

/** What a package promises: each entry's exports, and the unexported types they lead to. */
export interface ApiSurface {
  readonly entries: ReadonlyMap<string, readonly ApiItem[]>
  readonly reachable: readonly ApiItem[]
}

const printer = ts.createPrinter({ removeComments: true, omitTrailingSemicolon: true })

/**
 * Reads the public surface of a built package.
 *
 * @param entries - Entry name as callers write it, to its absolute `.d.ts` file.
 * @throws Error when an entry is missing, so that a report is never quietly empty.
 */
export function readSurface(entries: ReadonlyMap<string, string>): ApiSurface {
  const program = ts.createProgram([...entries.values()], {
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    noEmit: true,
  })
  const checker = program.getTypeChecker()
  const roots = new Set([...entries.values()].map((file) => path.dirname(file)))
  const own = (file: string) => [...roots].some((root) => file.startsWith(root + path.sep))

  const exported = new Set<ts.Symbol>()
  const found = new Map<ts.Symbol, ts.Symbol>()
  const surface = new Map<string, ApiItem[]>()
  for (const [entry, file] of entries) {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    if (module === undefined) throw new Error(`Expected ${entry} to have declarations at ${file}; build first`)
    const items: ApiItem[] = []
    for (const symbol of checker.getExportsOfModule(module)) {
      const target = resolve(symbol)
      exported.add(target)
      items.push({ name: symbol.name, text: print(target) })
    }
    surface.set(entry, items.sort(byName))
  }
  const reachable: ApiItem[] = []
  // Visiting one type finds the next, so the list grows while it is walked.
  for (const symbol of found.values()) {
    if (!exported.has(symbol)) reachable.push({ name: symbol.name, text: print(symbol) })
  }
  return { entries: surface, reachable: reachable.sort(byName) }

  function resolve(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
  }

  function print(symbol: ts.Symbol): string {
    return (symbol.declarations ?? [])
      .map((declaration) => {
        collect(declaration)
        const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
        return printer.printNode(ts.EmitHint.Unspecified, statement, statement.getSourceFile())
      })
      .map((text) => text.replace(/^export /, ''))
      .join('\n')
  }

  function collect(node: ts.Node): void {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node)
      const target = symbol && resolve(symbol)
      const declaration = target?.declarations?.[0]
      const statement = declaration && ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
      // Only what stands at the top of one of our files: a member or a type parameter is printed with its owner.
      if (target && statement && ts.isSourceFile(statement.parent) && own(statement.getSourceFile().fileName)) {
        found.set(target, target)
      }
    }
    ts.forEachChild(node, collect)
  }
}

const byName = (a: ApiItem, b: ApiItem) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

/** Writes a surface as Markdown, the same for the same surface. */
export function formatReport(name: string, surface: ApiSurface): string {
  const block = ({ name: title, text }: ApiItem) => `### ${title}\n\n\`\`\`ts\n${text}\n\`\`\`\n`
  const parts = [
    `# Public types of \`${name}\`\n`,
    'Written by `pnpm api:report` from the built declarations. A change here is a change for users.\n',
  ]
  for (const [entry, items] of surface.entries) parts.push(`## \`${entry}\`\n`, ...items.map(block))
  if (surface.reachable.length > 0) {
    parts.push('## Not exported, but part of the types above\n', ...surface.reachable.map(block))
  }
  return `${parts.join('\n').trimEnd()}\n`
}
