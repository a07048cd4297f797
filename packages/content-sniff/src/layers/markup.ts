import type { Finding } from './finding.ts'
import { type MarkupStart, scanMarkup } from './markup-scan.ts'
import { typeOfRoot } from './xml-roots.ts'

/**
 * Elements that make a text HTML when it starts with one.
 *
 * The names of https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type, and others that
 * run or fetch something, or open most fragments.
 */
const HTML_ELEMENTS = new Set(
  `html head script iframe h1 h2 h3 h4 h5 h6 div font table a style title b body br p meta link base center form input
  img object embed frameset frame ul ol li dl span section article main nav header footer aside button select textarea
  video audio source picture marquee details template noscript pre blockquote hr i em strong small applet isindex bgsound
  canvas dialog tr td tbody thead layer ilayer xmp plaintext`.split(/\s+/),
)

const XHTML = 'http://www.w3.org/1999/xhtml'

/** Recognises HTML, SVG and other XML, however much white space or how many comments come first. */
export function detectMarkup(text: string): Finding | undefined {
  const start = scanMarkup(text)
  if (start === undefined) return undefined
  if (start.instructions.some((body) => /^(php\b|=|\s)/i.test(body))) return found('text/x-php', 'likely')
  if (/^<%@?\s/.test(text.trimStart().slice(0, 5))) return undefined
  if (start.root === undefined) return withoutRoot(start, text)

  const [prefix, local] = splitName(start.root)
  const name = local.toLowerCase()
  const namespace = namespaceOf(start.attributes, prefix)
  if (namespace === XHTML || (name === 'html' && /\/\/DTD XHTML/i.test(start.doctypeIds))) {
    return found(start.declared || namespace === XHTML ? 'application/xhtml+xml' : 'text/html')
  }
  if (name === 'svg') return found('image/svg+xml')
  if (name === 'html' || /^(?:html|netscape-bookmark.*)$/i.test(start.doctype ?? '')) return found('text/html')
  if (!start.declared && namespace === undefined && prefix === '' && HTML_ELEMENTS.has(name)) return found('text/html')
  const isXml = start.declared || namespace !== undefined || start.doctype !== undefined
  const known = typeOfRoot(local, namespace, start)
  if (known !== undefined && (isXml || known.distinctive)) return found(known.mime)
  if (isXml) return found('application/xml')
  return looksClosed(start, text) ? found('application/xml', 'likely') : undefined
}

function found(mime: string, confidence: Finding['confidence'] = 'certain'): Finding {
  return { mime, source: 'markup', confidence }
}

function withoutRoot(start: MarkupStart, text: string): Finding | undefined {
  if (/^html$/i.test(start.doctype ?? '')) return found('text/html')
  if (/^svg$/i.test(start.doctype ?? '')) return found('image/svg+xml')
  if (start.declared || start.doctype !== undefined) {
    return found(
      /^<!(ELEMENT|ENTITY|ATTLIST)\s/.test(text.slice(start.end, start.end + 12))
        ? 'application/xml-dtd'
        : 'application/xml',
    )
  }
  if (/^<!(ELEMENT|ENTITY|ATTLIST)\s/.test(text.slice(start.end, start.end + 12)))
    return found('application/xml-dtd', 'likely')
  return undefined
}

function splitName(name: string): readonly [prefix: string, local: string] {
  const colon = name.indexOf(':')
  return colon < 0 ? ['', name] : [name.slice(0, colon), name.slice(colon + 1)]
}

function namespaceOf(attributes: string, prefix: string): string | undefined {
  // A name is tried from its start only; from each of its letters it would take the square of its length.
  const wanted = prefix === '' ? 'xmlns' : `xmlns:${prefix}`
  for (const [, name, double, single] of attributes.matchAll(/(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    if (name === wanted) return (double ?? single ?? '').trim()
  }
  return undefined
}

/** An unknown element is XML rather than `<someone@example.org> wrote:` when it is closed somewhere. */
function looksClosed(start: MarkupStart, text: string): boolean {
  if (start.open || start.root === undefined) return false
  if (!/^(\s+[\w:.-]+\s*=\s*("[^"]*"|'[^']*'))*\s*\/?$/.test(start.attributes.replace(/>$/, ''))) return false
  return (
    start.attributes.endsWith('/>') ||
    text.includes(`</${start.root}>`) ||
    /^\s*</.test(text.slice(start.end, start.end + 64))
  )
}
