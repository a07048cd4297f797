import path from 'node:path'

/** What the check asks about the repository; paths are relative to its root, with forward slashes. */
export interface Repository {
  readonly exists: (file: string) => boolean
  /** Sources of the tested examples that live beside a page. */
  readonly examplesOf: (page: string) => readonly string[]
}

/** Pictures, and what a program printed: nothing that a reader would type. */
const shown = new Set(['', 'text', 'console', 'mermaid'])

const fence = /^(?<indent>[ \t]*)```(?<language>\S*)[^\n]*\n(?<code>.*?)^\k<indent>```$/gms
const mark = /<!-- (?:executed by (?<file>\S+)|not executed: (?<reason>.*\S)) -->\s*$/

/**
 * Lists the code blocks of a page that nobody vouches for. A block is vouched for when it is part of an example that a
 * test runs, when the comment before it names the file that executes it (`<!-- executed by PATH -->`), or when that
 * comment says why nothing does (`<!-- not executed: REASON -->`).
 *
 * @returns A sentence for each block, beginning with page and line; empty when all is well.
 */
export function unproven(page: string, text: string, repository: Repository): string[] {
  const examples = repository.examplesOf(page).map(squeezed)
  return [...text.matchAll(fence)].flatMap((block) => {
    const { language = '', code = '' } = block.groups ?? {}
    if (shown.has(language)) return []
    const before = text.slice(0, block.index)
    const { file, reason } = mark.exec(before)?.groups ?? {}
    const place = `${page}:${before.split('\n').length}`
    if (reason !== undefined) return []
    if (file !== undefined)
      return repository.exists(file) ? [] : [`${place}: ${file}, which should execute it, is not there`]
    const body = squeezed(code.replace(/^(\/\/|#) examples\/\S+\n/, ''))
    if (examples.some((example) => example.includes(body))) return []
    return [`${place}: nothing executes this block; make it part of an example, or say before it why not`]
  })
}

/** Folders whose examples belong to a page: those of its own package or app. */
export const examplesFolder = (page: string): string => path.posix.join(...page.split('/').slice(0, 2), 'examples')

const squeezed = (code: string) => code.replaceAll(/\s+/g, ' ').trim()
