import { type Member, zip } from './zip-builder.ts'
import { ole, type OleMember } from './ole-builder.ts'
import type { Sample } from './sample.ts'

const OFFICE = 'application/vnd.openxmlformats-officedocument'
const types = (part: string, type: string): string =>
  `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="${part}" ContentType="${type}"/></Types>`

/** Office documents: type, main part, its content type. */
const PACKAGES: readonly (readonly [mime: string, part: string, type: string])[] = [
  [`${OFFICE}.wordprocessingml.document`, 'word/document.xml', `${OFFICE}.wordprocessingml.document.main+xml`],
  [`${OFFICE}.wordprocessingml.template`, 'word/document.xml', `${OFFICE}.wordprocessingml.template.main+xml`],
  [
    'application/vnd.ms-word.document.macroenabled.12',
    'word/document.xml',
    'application/vnd.ms-word.document.macroEnabled.main+xml',
  ],
  [`${OFFICE}.spreadsheetml.sheet`, 'xl/workbook.xml', `${OFFICE}.spreadsheetml.sheet.main+xml`],
  [`${OFFICE}.spreadsheetml.template`, 'xl/workbook.xml', `${OFFICE}.spreadsheetml.template.main+xml`],
  [
    'application/vnd.ms-excel.sheet.macroenabled.12',
    'xl/workbook.xml',
    'application/vnd.ms-excel.sheet.macroEnabled.main+xml',
  ],
  [
    'application/vnd.ms-excel.sheet.binary.macroenabled.12',
    'xl/workbook.bin',
    'application/vnd.ms-excel.sheet.binary.macroEnabled.main',
  ],
  [`${OFFICE}.presentationml.presentation`, 'ppt/presentation.xml', `${OFFICE}.presentationml.presentation.main+xml`],
  [`${OFFICE}.presentationml.slideshow`, 'ppt/presentation.xml', `${OFFICE}.presentationml.slideshow.main+xml`],
  [`${OFFICE}.presentationml.template`, 'ppt/presentation.xml', `${OFFICE}.presentationml.template.main+xml`],
  [
    'application/vnd.ms-powerpoint.presentation.macroenabled.12',
    'ppt/presentation.xml',
    'application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml',
  ],
  ['application/vnd.ms-visio.drawing', 'visio/document.xml', 'application/vnd.ms-visio.drawing.main+xml'],
  ['application/vnd.ms-xpsdocument', 'FixedDocSeq.fdseq', 'application/vnd.ms-package.xps-fixeddocumentsequence+xml'],
  ['model/3mf', '3D/3dmodel.model', 'application/vnd.ms-package.3dmanufacturing-3dmodel+xml'],
]

const ODF = ['text', 'text-template', 'spreadsheet', 'presentation', 'graphics', 'chart', 'formula', 'base'] as const

const ARCHIVES: readonly (readonly [mime: string, members: readonly Member[]])[] = [
  [
    'application/zip',
    [
      { name: 'a.txt', data: 'hello' },
      { name: 'b/c.txt', data: 'world' },
    ],
  ],
  ['application/zip', []],
  [
    'application/java-archive',
    [
      { name: 'META-INF/MANIFEST.MF', data: 'Manifest-Version: 1.0\n' },
      { name: 'A.class', data: 'x' },
    ],
  ],
  [
    'application/vnd.android.package-archive',
    [{ name: 'AndroidManifest.xml', data: 'x' }, { name: 'classes.dex', data: 'x' }, { name: 'META-INF/MANIFEST.MF' }],
  ],
  [
    'application/x-xpinstall',
    [
      { name: 'META-INF/mozilla.rsa', data: 'x' },
      { name: 'manifest.json', data: '{}' },
    ],
  ],
  ['application/vnd.google-earth.kmz', [{ name: 'doc.kml', data: '<kml/>' }]],
  [
    'application/x-python-wheel',
    [{ name: 'a/__init__.py' }, { name: 'a-1.0.dist-info/WHEEL', data: 'Wheel-Version: 1.0\n' }],
  ],
  ['application/x-ios-app', [{ name: 'Payload/' }, { name: 'Payload/A.app/Info.plist', data: 'x' }]],
  ['model/vnd.usdz+zip', [{ name: 'scene.usdc', data: 'PXR-USDC', stored: true }]],
  [
    'application/vnd.apple.keynote',
    [
      { name: 'Index/Document.iwa', data: 'x', stored: true },
      { name: 'Index/Slide-1.iwa', data: 'x' },
    ],
  ],
  [
    'application/vnd.apple.numbers',
    [
      { name: 'Index/Document.iwa', data: Buffer.from('000a00000a0908011205080110', 'hex'), stored: true },
      { name: 'Index/Tables/DataList.iwa', data: 'x' },
    ],
  ],
  [
    'application/vnd.apple.pages',
    [
      {
        name: 'Index/Document.iwa',
        data: Buffer.from('000a00000a09080112060890 4e10'.replace(' ', ''), 'hex'),
        stored: true,
      },
      { name: 'Index/Tables/DataList.iwa', data: 'x' },
    ],
  ],
]

const NOISE = Buffer.from(Array.from({ length: 90_000 }, (_, index) => (index * 7919 + (index >> 3) * 104_729) & 0xff))

const COMPOUNDS: readonly (readonly [mime: string, members: readonly OleMember[], clsid?: string])[] = [
  ['application/msword', [{ name: '1Table' }, { name: 'WordDocument', data: Buffer.from('eca5c100', 'hex') }]],
  [
    'application/msword',
    [{ name: 'ObjectPool', storage: [{ name: '_1', storage: [{ name: 'Workbook' }] }] }, { name: 'WordDocument' }],
  ],
  ['application/vnd.ms-excel', [{ name: 'Workbook', data: Buffer.from('0908100000060500', 'hex') }]],
  [
    'application/vnd.ms-excel',
    [
      { name: 'MBD0001', storage: [{ name: 'WordDocument' }] },
      { name: 'Book', data: Buffer.from('0908080000050500', 'hex') },
    ],
  ],
  ['application/vnd.ms-powerpoint', [{ name: 'Current User' }, { name: 'PowerPoint Document' }]],
  ['application/vnd.visio', [{ name: 'VisioDocument' }]],
  [
    'application/vnd.ms-outlook',
    [{ name: '__nameid_version1.0', storage: [{ name: 'x' }] }, { name: '__properties_version1.0' }],
  ],
  ['application/vnd.ms-publisher', [{ name: 'Quill', storage: [{ name: 'QuillSub' }] }, { name: 'Contents' }]],
  ['application/x-msi', [{ name: '\u4840\u3f3f\u4577' }], '84100c0000000000c000000000000046'],
  ['application/vnd.ms-project', [{ name: 'Props' }], '3a8fb774c8c8d111be1100c04fb6faf1'],
  ['application/x-ole-encrypted', [{ name: 'EncryptionInfo' }, { name: 'EncryptedPackage' }]],
]

/** Zip and compound documents in their usual and their awkward forms. */
export function containerSamples(): Sample[] {
  const samples: Sample[] = []
  for (const [mime, part, type] of PACKAGES) {
    const contentTypes = { name: '[Content_Types].xml', data: types(`/${part}`, type) }
    const rels = { name: '_rels/.rels', data: '<Relationships/>' }
    samples.push({ name: `${mime}, usual`, mime, bytes: zip([contentTypes, rels, { name: part, data: '<x/>' }]) })
    samples.push({ name: `${mime}, types last`, mime, bytes: zip([rels, { name: part, data: '<x/>' }, contentTypes]) })
    samples.push({
      name: `${mime}, streamed`,
      mime,
      bytes: zip([contentTypes, rels, { name: part, data: '<x/>' }].map((member) => ({ ...member, streamed: true }))),
    })
    samples.push({
      name: `${mime}, far types`,
      mime,
      bytes: zip([
        rels,
        { name: 'media/a.bin', data: NOISE, stored: true },
        { name: part, data: '<x/>' },
        contentTypes,
      ]),
    })
  }
  for (const kind of ODF) {
    const mime = `application/vnd.oasis.opendocument.${kind}`
    const content = [
      { name: 'content.xml', data: '<office:document-content/>' },
      { name: 'META-INF/manifest.xml', data: '<x/>' },
    ]
    samples.push({
      name: `${mime}, stored`,
      mime,
      bytes: zip([{ name: 'mimetype', data: mime, stored: true }, ...content]),
    })
    samples.push({ name: `${mime}, deflated`, mime, bytes: zip([{ name: 'mimetype', data: mime }, ...content]) })
    samples.push({ name: `${mime}, last`, mime, bytes: zip([...content, { name: 'mimetype', data: `${mime}\n` }]) })
  }
  const epub = [
    { name: 'META-INF/container.xml', data: '<container/>' },
    { name: 'OEBPS/content.opf', data: '<package/>' },
  ]
  samples.push({
    name: 'epub',
    mime: 'application/epub+zip',
    bytes: zip([{ name: 'mimetype', data: 'application/epub+zip', stored: true }, ...epub]),
  })
  samples.push({ name: 'epub without mimetype', mime: 'application/epub+zip', bytes: zip(epub) })
  ARCHIVES.forEach(([mime, members], index) => {
    samples.push({ name: `${mime} ${index}`, mime, bytes: zip(members) })
    samples.push({
      name: `${mime} ${index}, comment`,
      mime,
      bytes: zip(members, { comment: 'made for a test '.repeat(9) }),
    })
  })
  COMPOUNDS.forEach(([mime, members, clsid], index) => {
    samples.push({ name: `${mime} ${index}`, mime, bytes: ole(members, clsid === undefined ? {} : { clsid }) })
    samples.push({
      name: `${mime} ${index}, far directory`,
      mime,
      bytes: ole(members, { padSectors: 400, ...(clsid === undefined ? {} : { clsid }) }),
    })
  })
  return samples
}
