import type { MarkupStart } from './markup-scan.ts'

/** A type that follows from an XML root. */
export interface RootType {
  readonly mime: string
  /** True when the bare element name suffices, without declaration or namespace. */
  readonly distinctive: boolean
}

/** Types by namespace; the first column is matched as a prefix, since versions end most of these names. */
const BY_NAMESPACE: readonly (readonly [namespace: string, local: string, mime: string])[] = [
  ['http://www.w3.org/2000/svg', '*', 'image/svg+xml'],
  ['http://www.w3.org/1999/XSL/Transform', '*', 'application/xslt+xml'],
  ['http://www.w3.org/2005/Atom', '*', 'application/atom+xml'],
  ['http://purl.org/atom/', '*', 'application/atom+xml'],
  ['http://www.w3.org/1998/Math/MathML', '*', 'application/mathml+xml'],
  ['http://www.topografix.com/GPX/', '*', 'application/gpx+xml'],
  ['http://www.opengis.net/kml/', '*', 'application/vnd.google-earth.kml+xml'],
  ['http://earth.google.com/kml/', '*', 'application/vnd.google-earth.kml+xml'],
  ['http://www.opengis.net/gml', '*', 'application/gml+xml'],
  ['http://www.w3.org/2002/07/owl', 'Ontology', 'application/owl+xml'],
  ['http://www.w3.org/1999/02/22-rdf-syntax-ns', 'RDF', 'application/rdf+xml'],
  ['http://www.w3.org/2001/XMLSchema', 'schema', 'application/xsd+xml'],
  ['http://schemas.xmlsoap.org/wsdl', '*', 'application/wsdl+xml'],
  ['http://www.w3.org/ns/ttml', '*', 'application/ttml+xml'],
  ['http://www.w3.org/2006/10/ttaf1', '*', 'application/ttml+xml'],
  ['urn:mpeg:dash:schema:mpd', '*', 'application/dash+xml'],
  ['http://xspf.org/ns/', '*', 'application/xspf+xml'],
  ['http://a9.com/-/spec/opensearch', '*', 'application/opensearchdescription+xml'],
  ['urn:oasis:names:tc:xliff', '*', 'application/xliff+xml'],
  ['http://www.daisy.org/z3986/2005/ncx', '*', 'application/x-dtbncx+xml'],
  ['http://www.idpf.org/2007/opf', 'package', 'application/oebps-package+xml'],
  ['http://www.collada.org/', '*', 'model/vnd.collada+xml'],
  ['https://www.khronos.org/collada', '*', 'model/vnd.collada+xml'],
  ['http://ns.adobe.com/xdp/', '*', 'application/vnd.adobe.xdp+xml'],
  ['http://ns.adobe.com/xfdf/', '*', 'application/vnd.adobe.xfdf'],
  ['http://www.w3.org/ns/SMIL', '*', 'application/smil+xml'],
  ['http://www.w3.org/2001/SMIL20', '*', 'application/smil+xml'],
  ['http://docbook.org/ns/docbook', '*', 'application/docbook+xml'],
  ['http://www.tei-c.org/ns/', '*', 'application/tei+xml'],
  ['http://www.gribuser.ru/xml/fictionbook/', '*', 'application/x-fictionbook+xml'],
  ['urn:ietf:params:xml:ns:metalink', '*', 'application/metalink4+xml'],
  ['http://www.unidata.ucar.edu/namespaces/netcdf', '*', 'application/x-netcdf-ncml'],
  ['http://www.mozilla.org/keymaster/gatekeeper/there.is.only.xul', '*', 'application/vnd.mozilla.xul+xml'],
  ['http://schemas.microsoft.com/office/word/2003/wordml', '*', 'application/vnd.ms-word.xml'],
]

/** Types by element name where documents often come without a namespace; `!` marks names that nothing else uses. */
const BY_NAME: Readonly<Record<string, string>> = {
  rss: '!application/rss+xml',
  feed: 'application/atom+xml',
  kml: '!application/vnd.google-earth.kml+xml',
  gpx: '!application/gpx+xml',
  plist: '!application/x-xml-plist',
  RDF: 'application/rdf+xml',
  xliff: '!application/xliff+xml',
  'score-partwise': '!application/vnd.recordare.musicxml+xml',
  'score-timewise': '!application/vnd.recordare.musicxml+xml',
  COLLADA: '!model/vnd.collada+xml',
  X3D: '!model/x3d+xml',
  ncx: 'application/x-dtbncx+xml',
  math: 'application/mathml+xml',
  smil: '!application/smil+xml',
  osm: 'application/vnd.openstreetmap.data+xml',
  FictionBook: '!application/x-fictionbook+xml',
  MPD: 'application/dash+xml',
  stylesheet: 'application/xslt+xml',
  TEI: 'application/tei+xml',
}

/** Flat OpenDocument files name their kind in an attribute of the root. */
const FLAT_ODF =
  /office:mimetype\s*=\s*["']application\/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation|graphics)["']/

/** The type that an XML document's first element stands for, `undefined` for XML of no known kind. */
export function typeOfRoot(
  local: string,
  namespace: string | undefined,
  { attributes, doctype, instructions }: Pick<MarkupStart, 'attributes' | 'doctype' | 'instructions'>,
): RootType | undefined {
  const flat = FLAT_ODF.exec(attributes)?.[1]
  if (flat !== undefined) return certain(`application/vnd.oasis.opendocument.${flat}-flat-xml`)
  if (namespace !== undefined) {
    for (const [prefix, name, mime] of BY_NAMESPACE) {
      if (namespace.startsWith(prefix) && (name === '*' || name === local)) return certain(mime)
    }
  }
  if (instructions.some((body) => /^mso-application\s.*Word\.Document/i.test(body)))
    return certain('application/vnd.ms-word.xml')
  const named = Object.hasOwn(BY_NAME, local) ? BY_NAME[local] : undefined
  if (named === undefined || (namespace !== undefined && named[0] !== '!')) {
    return doctype === 'article' || doctype === 'book' ? certain('application/docbook+xml') : undefined
  }
  return { mime: named.replace('!', ''), distinctive: named[0] === '!' }
}

const certain = (mime: string): RootType => ({ mime, distinctive: true })
