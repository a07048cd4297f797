import path from 'node:path'

/** Where the pages of the repository stand on the site. */
export interface Pages {
  /** Path in the repository, to its path on the site without `.md`, both with forward slashes. */
  readonly map: ReadonlyMap<string, string>
  /** Tells whether a path of the repository exists. */
  readonly exists: (file: string) => boolean
  /** Takes a picture of the repository into the site; gives its path there, without the leading slash. */
  readonly picture: (file: string) => string
  /** Address that shows a file of the repository, ending in a slash. */
  readonly sourceUrl: string
}

/** A link that leads nowhere; a site is not built with one. */
export class DeadLink extends Error {
  override readonly name = 'DeadLink'
}

// The second form is the rest of a link around a picture, as badges are.
const link = /(?<mark>!?)(?<before>\[[^[\]]*\]\(|(?<=\))\]\()(?<target>[^)\s]+)\)/g
const fence = /^(```|~~~).*?^\1/gms

/**
 * Turns the relative links of a page in the repository into links of the site, or into addresses of the source where
 * the target is no page; pictures come along. Code blocks are left alone.
 *
 * @param from - The page's path in the repository.
 * @throws {@link DeadLink} naming page and target when the target does not exist.
 */
export function rewriteLinks(text: string, from: string, pages: Pages): string {
  const blocks: string[] = []
  const held = text.replace(fence, (block) => `\uE000${blocks.push(block) - 1}\uE000`)
  const rewritten = held.replace(link, (whole, mark: string, before: string, target: string) => {
    if (/^([a-z]+:|#|\/\/)/i.test(target)) return whole
    const [file = '', hash] = target.split('#')
    const resolved = path.posix.normalize(path.posix.join(path.posix.dirname(from), decodeURI(file)))
    const page = pages.map.get(resolved) ?? pages.map.get(path.posix.join(resolved, 'README.md'))
    const suffix = hash === undefined ? '' : `#${hash}`
    if (page !== undefined) return `${before}/${page}${suffix})`
    if (!pages.exists(resolved)) throw new DeadLink(`${from}: the link to ${target} leads nowhere`)
    if (mark !== '') return `!${before}/${pages.picture(resolved)})`
    return `${before}${pages.sourceUrl}${resolved.replace(/\/$/, '')}${suffix})`
  })
  return rewritten.replace(/\uE000(\d+)\uE000/g, (_, index) => blocks[Number(index)] ?? '')
}
