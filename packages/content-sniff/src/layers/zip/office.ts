/** Main parts of Open Packaging documents: the content type's end and the document's own type. */
const MAIN_PARTS: readonly (readonly [part: string, mime: string])[] = [
  ['wordprocessingml.document.main+xml', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['wordprocessingml.template.main+xml', 'application/vnd.openxmlformats-officedocument.wordprocessingml.template'],
  ['ms-word.document.macroenabled.main+xml', 'application/vnd.ms-word.document.macroenabled.12'],
  ['ms-word.template.macroenabledtemplate.main+xml', 'application/vnd.ms-word.template.macroenabled.12'],
  ['ms-word.template.macroenabled.main+xml', 'application/vnd.ms-word.template.macroenabled.12'],
  ['spreadsheetml.sheet.main+xml', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['spreadsheetml.template.main+xml', 'application/vnd.openxmlformats-officedocument.spreadsheetml.template'],
  ['ms-excel.sheet.macroenabled.main+xml', 'application/vnd.ms-excel.sheet.macroenabled.12'],
  ['ms-excel.template.macroenabled.main+xml', 'application/vnd.ms-excel.template.macroenabled.12'],
  ['ms-excel.addin.macroenabled.main+xml', 'application/vnd.ms-excel.addin.macroenabled.12'],
  ['ms-excel.sheet.binary.macroenabled.main', 'application/vnd.ms-excel.sheet.binary.macroenabled.12'],
  ['presentationml.presentation.main+xml', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  ['presentationml.template.main+xml', 'application/vnd.openxmlformats-officedocument.presentationml.template'],
  ['presentationml.slideshow.main+xml', 'application/vnd.openxmlformats-officedocument.presentationml.slideshow'],
  ['ms-powerpoint.presentation.macroenabled.main+xml', 'application/vnd.ms-powerpoint.presentation.macroenabled.12'],
  ['ms-powerpoint.template.macroenabled.main+xml', 'application/vnd.ms-powerpoint.template.macroenabled.12'],
  ['ms-powerpoint.slideshow.macroenabled.main+xml', 'application/vnd.ms-powerpoint.slideshow.macroenabled.12'],
  ['ms-powerpoint.addin.macroenabled.main+xml', 'application/vnd.ms-powerpoint.addin.macroenabled.12'],
  ['ms-visio.drawing.macroenabled.main+xml', 'application/vnd.ms-visio.drawing.macroenabled.12'],
  ['ms-visio.drawing.main+xml', 'application/vnd.ms-visio.drawing'],
  ['ms-visio.template.main+xml', 'application/vnd.ms-visio.template'],
  ['ms-visio.stencil.main+xml', 'application/vnd.ms-visio.stencil'],
  ['ms-package.xps-fixeddocumentsequence+xml', 'application/vnd.ms-xpsdocument'],
  ['ms-package.3dmanufacturing-3dmodel+xml', 'model/3mf'],
]

/** The type a package's `[Content_Types].xml` names, `undefined` when its main part is none of an office document. */
export function typeOfContentTypes(xml: string): string | undefined {
  const lower = xml.toLowerCase()
  return MAIN_PARTS.find(([part]) => lower.includes(part))?.[1]
}

/** The type by folder names, for packages whose content types are out of reach. */
export function typeOfPackageFolders(names: ReadonlySet<string>): string | undefined {
  if (names.has('word/document.xml')) return 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
  if (names.has('xl/workbook.xml')) return 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
  if (names.has('xl/workbook.bin')) return 'application/vnd.ms-excel.sheet.binary.macroenabled.12'
  if (names.has('ppt/presentation.xml'))
    return 'application/vnd.openxmlformats-officedocument.presentationml.presentation'
  if (names.has('visio/document.xml')) return 'application/vnd.ms-visio.drawing'
  if (names.has('FixedDocSeq.fdseq') || names.has('FixedDocumentSequence.fdseq'))
    return 'application/vnd.ms-xpsdocument'
  return undefined
}

/** The same document with macros: what a package is when it carries a macro project under a plain type. */
export function withMacros(mime: string): string {
  const office =
    /openxmlformats-officedocument\.(wordprocessingml|spreadsheetml|presentationml)\.(document|sheet|presentation|template|slideshow)$/.exec(
      mime,
    )
  if (office === null) return mime
  const program =
    { wordprocessingml: 'word', spreadsheetml: 'excel', presentationml: 'powerpoint' }[office[1] ?? ''] ?? ''
  return `application/vnd.ms-${program}.${office[2] ?? ''}.macroenabled.12`
}
