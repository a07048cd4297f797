import type { Family } from './result.ts'

/** A type of the table. */
export interface TypeEntry {
  readonly mime: string
  readonly extension: string
  readonly family: Family
}

/**
 * Every type this package names: media type, usual extension, other spellings seen in the wild.
 *
 * Registered names from https://www.iana.org/assignments/media-types (Oct 2026); where none is registered, the name
 * that libmagic or shared-mime-info uses. One line per type: `mime extension alias alias`.
 */
const TABLE: Readonly<Record<Family, string>> = {
  image: `
    image/jpeg jpg image/jpg image/pjpeg
    image/png png image/x-png
    image/apng apng image/vnd.mozilla.apng
    image/gif gif
    image/webp webp
    image/avif avif
    image/heic heic
    image/heif heif
    image/heic-sequence heics
    image/heif-sequence heifs
    image/jxl jxl
    image/bmp bmp image/x-ms-bmp image/x-bmp
    image/tiff tif image/tiff-fx
    image/x-icon ico image/vnd.microsoft.icon
    image/x-win-bitmap cur
    image/vnd.adobe.photoshop psd image/x-psd application/x-photoshop
    image/x-xcf xcf
    image/jp2 jp2
    image/jpx jpf
    image/jpm jpm
    image/j2c j2c image/x-jp2-codestream
    image/jls jls
    image/vnd.ms-photo jxr image/jxr
    image/vnd.djvu djvu image/x-djvu
    image/flif flif
    image/bpg bpg
    image/icns icns image/x-icns
    image/ktx ktx
    image/ktx2 ktx2
    image/vnd.ms-dds dds image/x-dds
    image/x-exr exr image/aces
    image/vnd.radiance hdr
    image/x-tga tga image/x-targa
    image/vnd.zbrush.pcx pcx image/x-pcx
    image/x-dcx dcx
    image/x-portable-bitmap pbm
    image/x-portable-graymap pgm
    image/x-portable-pixmap ppm
    image/x-portable-arbitrarymap pam
    image/x-xpixmap xpm image/x-xpm
    image/x-xbitmap xbm
    image/x-xwindowdump xwd
    image/x-sun-raster ras image/x-cmu-raster
    image/x-sgi sgi image/x-rgb
    image/x-dpx dpx
    image/cineon cin
    image/fits fits application/fits
    image/wmf wmf image/x-wmf
    image/emf emf image/x-emf
    image/vnd.dwg dwg application/acad image/x-dwg
    image/vnd.dxf dxf
    image/x-canon-cr2 cr2
    image/x-canon-cr3 cr3
    image/x-canon-crw crw
    image/x-nikon-nef nef
    image/x-sony-arw arw
    image/x-olympus-orf orf
    image/x-panasonic-rw2 rw2
    image/x-fujifilm-raf raf
    image/x-adobe-dng dng
    image/x-mng mng video/x-mng
    image/x-jng jng
    image/x-qoi qoi image/qoi
    image/x-pict pict
    image/x-mie mie application/x-mie
    image/x-award-bioslogo bios
    image/vnd.zbrush.dcx zdcx
  `,
  audio: `
    audio/mpeg mp3 audio/mp3 audio/x-mp3 audio/x-mpeg
    audio/aac aac audio/x-aac audio/x-hx-aac-adts audio/aacp
    audio/mp4 m4a audio/x-m4a
    audio/ogg oga
    audio/opus opus
    audio/x-speex spx
    audio/webm weba
    audio/x-matroska mka
    audio/flac flac audio/x-flac
    audio/wav wav audio/x-wav audio/wave audio/vnd.wave
    audio/aiff aif audio/x-aiff
    audio/basic au audio/x-au
    audio/midi mid audio/x-midi audio/sp-midi
    audio/amr amr
    audio/amr-wb awb
    audio/ape ape audio/x-ape audio/x-monkeys-audio
    audio/wavpack wv audio/x-wavpack
    audio/x-musepack mpc
    audio/ac3 ac3 audio/vnd.dolby.dd-raw
    audio/eac3 eac3
    audio/vnd.dts dts
    audio/x-caf caf
    audio/qcelp qcp
    audio/x-dsf dsf
    audio/x-dff dff
    audio/x-voc voc
    audio/x-it it
    audio/x-s3m s3m
    audio/x-xm xm
    audio/x-mod mod
    audio/x-ms-wma wma audio/x-ms-asf
    audio/x-tta tta audio/tta
    audio/x-mpegurl m3u audio/mpegurl application/x-mpegurl
    audio/x-scpls pls
    audio/x-sid sid audio/prs.sid
    audio/vnd.audible.aax aax
  `,
  video: `
    video/mp4 mp4
    video/x-m4v m4v
    video/quicktime mov
    video/webm webm
    video/matroska mkv video/x-matroska
    video/matroska-3d mk3d
    video/ogg ogv
    video/vnd.avi avi video/avi video/x-msvideo video/msvideo
    video/mpeg mpg video/mp1s video/mp2p
    video/mp2t mts video/vnd.dlna.mpeg-tts
    video/x-flv flv
    video/3gpp 3gp
    video/3gpp2 3g2
    video/x-ms-asf asf application/vnd.ms-asf
    video/x-ms-wmv wmv
    video/mj2 mj2
    video/h264 h264
    video/x-dv dv
    video/x-fli fli
    video/x-flc flc
    video/x-ivf ivf
    video/x-nut nut
    video/x-yuv4mpeg y4m
    application/mxf mxf
    application/ogg ogx
    application/vnd.rn-realmedia rm
    application/vnd.apple.mpegurl m3u8
  `,
  font: `
    font/woff woff application/font-woff
    font/woff2 woff2
    font/ttf ttf application/x-font-ttf font/sfnt application/font-sfnt
    font/otf otf application/vnd.ms-opentype application/x-font-otf
    font/collection ttc
    application/vnd.ms-fontobject eot
    application/x-font-type1 pfb
    application/x-font-pcf pcf
    application/x-font-bdf bdf
    application/x-font-psf psf
    application/x-font-afm afm
  `,
  document: `
    application/pdf pdf application/x-pdf
    application/postscript ps application/x-postscript
    application/eps eps image/x-eps
    application/illustrator ai
    application/rtf rtf text/rtf
    application/msword doc application/vnd.ms-word application/x-msword
    application/vnd.ms-excel xls application/msexcel application/x-msexcel
    application/vnd.ms-powerpoint ppt application/mspowerpoint
    application/vnd.ms-publisher pub application/x-mspublisher
    application/vnd.ms-project mpp
    application/vnd.ms-works wps
    application/vnd.ms-onenote one application/onenote
    application/vnd.visio vsd
    application/vnd.ms-visio.drawing vsdx application/vnd.ms-visio.drawing.main+xml
    application/vnd.ms-visio.drawing.macroenabled.12 vsdm
    application/vnd.ms-visio.template vstx
    application/vnd.ms-visio.stencil vssx
    application/vnd.stardivision.writer sdw
    application/vnd.stardivision.calc sdc
    application/vnd.stardivision.impress sdd
    application/x-quattro-pro qpw application/vnd.quattro-pro
    application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
    application/vnd.openxmlformats-officedocument.wordprocessingml.template dotx
    application/vnd.ms-word.document.macroenabled.12 docm
    application/vnd.ms-word.template.macroenabled.12 dotm
    application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
    application/vnd.openxmlformats-officedocument.spreadsheetml.template xltx
    application/vnd.ms-excel.sheet.macroenabled.12 xlsm
    application/vnd.ms-excel.template.macroenabled.12 xltm
    application/vnd.ms-excel.addin.macroenabled.12 xlam
    application/vnd.ms-excel.sheet.binary.macroenabled.12 xlsb
    application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
    application/vnd.openxmlformats-officedocument.presentationml.template potx
    application/vnd.openxmlformats-officedocument.presentationml.slideshow ppsx
    application/vnd.ms-powerpoint.presentation.macroenabled.12 pptm
    application/vnd.ms-powerpoint.template.macroenabled.12 potm
    application/vnd.ms-powerpoint.slideshow.macroenabled.12 ppsm
    application/vnd.ms-powerpoint.addin.macroenabled.12 ppam
    application/vnd.ms-xpsdocument xps application/oxps
    application/vnd.oasis.opendocument.text odt
    application/vnd.oasis.opendocument.text-template ott
    application/vnd.oasis.opendocument.text-master odm
    application/vnd.oasis.opendocument.text-web oth
    application/vnd.oasis.opendocument.spreadsheet ods
    application/vnd.oasis.opendocument.spreadsheet-template ots
    application/vnd.oasis.opendocument.presentation odp
    application/vnd.oasis.opendocument.presentation-template otp
    application/vnd.oasis.opendocument.graphics odg
    application/vnd.oasis.opendocument.graphics-template otg
    application/vnd.oasis.opendocument.chart odc
    application/vnd.oasis.opendocument.formula odf
    application/vnd.oasis.opendocument.image odi
    application/vnd.oasis.opendocument.base odb application/vnd.oasis.opendocument.database
    application/vnd.oasis.opendocument.text-flat-xml fodt
    application/vnd.oasis.opendocument.spreadsheet-flat-xml fods
    application/vnd.oasis.opendocument.presentation-flat-xml fodp
    application/vnd.oasis.opendocument.graphics-flat-xml fodg
    application/vnd.sun.xml.writer sxw
    application/vnd.sun.xml.calc sxc
    application/vnd.sun.xml.impress sxi
    application/vnd.sun.xml.draw sxd
    application/vnd.apple.pages pages
    application/vnd.apple.numbers numbers
    application/vnd.apple.keynote key
    application/x-iwork iwork
    application/epub+zip epub
    application/x-mobipocket-ebook mobi
    application/x-hwp hwp
    application/hwp+zip hwpx application/vnd.hancom.hwpx
    application/vnd.wordperfect wpd application/x-wordperfect
    application/vnd.lotus-1-2-3 wk1
    application/vnd.ms-htmlhelp chm
    application/x-mswrite wri
    application/vnd.quark.quarkxpress qxd
    application/x-indesign indd
    application/x-dvi dvi
    application/x-ole-encrypted ole
    application/x-ms-office msoffice
    application/vnd.corel-draw cdr application/x-coreldraw
    application/x-fictionbook+xml fb2
  `,
  text: `
    text/plain txt
    text/csv csv
    text/tab-separated-values tsv
    text/markdown md text/x-markdown
    text/css css
    text/vtt vtt
    application/x-subrip srt text/srt
    text/calendar ics
    text/vcard vcf text/x-vcard text/directory
    text/x-diff diff text/x-patch
    application/x-tex tex text/x-tex
    text/troff man
    text/x-po po text/x-gettext-translation
    text/x-rst rst
    text/asciidoc adoc
    text/x-log log
    text/x-ini ini
    text/x-c c
    text/x-c++ cpp
    text/x-java java text/x-java-source
    text/x-go go
    text/x-rust rs
    text/x-sql sql application/sql
    text/x-typescript ts
    text/x-makefile mk
    application/x-bibtex bib text/x-bibtex
    application/x-research-info-systems ris
    text/x-lilypond ly
  `,
  markup: `
    text/html html
    application/xhtml+xml xhtml
    image/svg+xml svg
    application/xml xml text/xml
    application/xslt+xml xslt text/xsl application/xslt
    application/rss+xml rss
    application/atom+xml atom
    application/rdf+xml rdf
    application/gpx+xml gpx
    application/vnd.google-earth.kml+xml kml
    application/gml+xml gml
    application/mathml+xml mathml
    application/xliff+xml xlf
    application/vnd.recordare.musicxml+xml musicxml
    application/ttml+xml ttml
    application/dash+xml mpd
    application/xspf+xml xspf
    application/opensearchdescription+xml osdx
    application/wsdl+xml wsdl
    application/x-dtbncx+xml ncx
    application/oebps-package+xml opf
    application/x-xml-plist plist application/x-plist
    model/vnd.collada+xml dae
    model/x3d+xml x3d
    application/vnd.adobe.xdp+xml xdp
    application/vnd.adobe.xfdf xfdf
    application/xml-dtd dtd
    application/xsd+xml xsd
    application/smil+xml smil
    application/x-netcdf-ncml ncml
    application/docbook+xml dbk
    application/tei+xml tei
    application/owl+xml owl
    application/vnd.openstreetmap.data+xml osm
    application/metalink4+xml meta4
    application/vnd.ms-word.xml wordml
    application/vnd.mozilla.xul+xml xul
    multipart/related mhtml message/rfc822+mhtml application/x-mimearchive
  `,
  data: `
    application/json json text/json
    application/ld+json jsonld
    application/geo+json geojson
    application/manifest+json webmanifest
    application/x-ndjson ndjson application/jsonl application/json-lines
    application/x-ipynb+json ipynb
    application/yaml yaml text/yaml application/x-yaml text/x-yaml
    application/toml toml
    application/vnd.sqlite3 sqlite application/x-sqlite3
    application/vnd.apache.parquet parquet
    application/vnd.apache.arrow.file arrow
    application/avro avro
    application/x-hdf5 h5 application/x-hdf
    application/x-hdf4 hdf
    application/x-netcdf nc
    application/x-numpy npy
    application/x-matlab-data mat
    application/x-dbf dbf
    application/x-msaccess mdb application/vnd.ms-access
    application/x-bplist bplist application/x-apple-binary-plist
    application/x-bittorrent torrent
    application/cbor cbor
    application/x-esri-shape shp
    application/x-spss-sav sav
    application/x-stata-dta dta
    application/x-sas-data sas7bdat
    application/x-jmp-data jmp
    application/vnd.iccprofile icc
    application/dicom dcm
    application/vnd.tcpdump.pcap pcap
    application/x-pcapng pcapng
    application/pem-certificate-chain pem application/x-pem-file
    application/pkix-cert der application/x-x509-ca-cert
    application/pkcs7-mime p7m
    application/pkcs7-signature p7s
    application/x-pkcs12 p12
    application/x-java-keystore jks
    application/pgp-keys asc
    application/pgp-signature sig
    application/pgp-encrypted pgp application/pgp
    application/x-gettext-translation mo application/x-gettext
    application/x-ms-shortcut lnk
    application/x-ft-apple.alias alias
    application/x-ms-regedit reg text/x-ms-regedit
    application/x-windows-registry-hive dat application/x-ft-windows-registry-hive
    application/x-git-pack pack
    application/x-berkeley-db db
    application/x-tzif tzif application/tzif
    application/vnd.ms-tnef tnef
    application/x-python-pickle pkl
    application/x-debian-control dsc
    application/marc mrc
    application/x-grib grib
    application/ubjson ubj
    application/x-mbtiles mbtiles
    application/geopackage+sqlite3 gpkg
    application/fdf fdf application/vnd.fdf
    application/x-terminfo terminfo
  `,
  mail: `
    message/rfc822 eml
    application/mbox mbox
    application/vnd.ms-outlook msg
    application/vnd.ms-outlook-pst pst
  `,
  archive: `
    application/zip zip application/x-zip-compressed application/x-zip
    application/gzip gz application/x-gzip
    application/x-tar tar
    application/x-gtar tar.gz
    application/x-bzip2 bz2 application/bzip2 application/x-bzip
    application/x-xz xz
    application/zstd zst application/x-zstd
    application/x-lz4 lz4
    application/lzip lz application/x-lzip
    application/x-lzma lzma
    application/x-lzop lzo
    application/x-7z-compressed 7z
    application/vnd.rar rar application/x-rar-compressed application/x-rar
    application/x-compress Z
    application/vnd.ms-cab-compressed cab
    application/x-lzh-compressed lzh application/x-lha
    application/x-arj arj application/arj
    application/x-ace-compressed ace
    application/x-cpio cpio
    application/x-unix-archive ar application/x-archive
    application/x-xar xar
    application/x-zoo zoo
    application/x-stuffit sit
    application/x-asar asar
    application/x-iso9660-image iso
    application/x-apple-diskimage dmg
    application/x-qemu-disk qcow2
    application/x-virtualbox-vdi vdi
    application/x-vmdk vmdk
    application/x-vhd vhd
    application/x-vhdx vhdx
    application/vnd.squashfs squashfs application/x-squashfs
    application/x-ms-wim wim
    application/warc warc
    application/x-internet-archive arc
    application/vnd.google-earth.kmz kmz
    application/x-cfb cfb application/x-ole-storage application/cdfv2
    application/x-git-bundle bundle
    application/x-snappy-framed sz
    application/x-brotli br
    application/x-java-pack200 pack200
    application/x-mozilla-lz4 mozlz4
    application/vnd.adobe.zxp zxp
    application/wacz wacz
  `,
  model: `
    model/gltf-binary glb
    model/gltf+json gltf
    model/stl stl
    model/obj obj
    model/3mf 3mf
    model/vnd.usdz+zip usdz
    model/step step
    model/iges igs
    model/vnd.usdc usdc
    model/ply ply application/x-ply
    model/vrml wrl
    application/x-draco drc application/x-ft-draco
    application/x-fbx fbx application/x-ft-fbx
    application/x-blender blend
    application/vnd.sketchup.skp skp
  `,
  script: `
    text/javascript js application/javascript application/x-javascript text/ecmascript application/ecmascript
    application/x-sh sh text/x-shellscript application/x-shellscript
    text/x-python py text/x-script.python application/x-python
    text/x-perl pl application/x-perl
    text/x-ruby rb application/x-ruby
    text/x-php php application/x-php application/x-httpd-php
    text/x-lua lua
    text/x-tcl tcl
    text/x-awk awk
    text/x-msdos-batch bat application/x-bat
    text/x-powershell ps1 application/x-powershell
    text/x-script script
    application/hta hta
    text/vbscript vbs
    text/x-jsp jsp
    text/x-asp asp
  `,
  executable: `
    application/vnd.microsoft.portable-executable exe application/x-msdownload application/x-dosexec application/x-msdos-program
    application/x-executable elf application/x-elf application/x-pie-executable
    application/x-sharedlib so
    application/x-object o
    application/x-coredump core
    application/x-mach-binary macho
    application/java-vm class application/x-java-applet
    application/wasm wasm
    application/x-shockwave-flash swf application/vnd.adobe.flash.movie
    application/java-archive jar application/x-java-archive
    application/vnd.android.package-archive apk
    application/vnd.android.dex dex
    application/x-ios-app ipa
    application/x-xpinstall xpi
    application/x-google-chrome-extension crx application/x-chrome-extension
    application/vnd.debian.binary-package deb application/x-deb application/x-debian-package
    application/x-rpm rpm
    application/x-msi msi application/x-ms-installer
    application/appx appx
    application/msix msix
    application/x-python-bytecode pyc application/x-bytecode.python
    application/x-llvm-bitcode bc
    application/x-nintendo-nes-rom nes
    application/x-gameboy-rom gb
    application/x-lua-bytecode luac
    application/vsix vsix
    application/x-python-wheel whl
    application/x-nuget nupkg
    application/x-sega-cd-rom scd
  `,
  unknown: `
    application/octet-stream bin binary/octet-stream application/unknown application/x-unknown
    application/x-empty empty inode/x-empty
  `,
}

const entries: readonly (TypeEntry & { readonly aliases: readonly string[] })[] = Object.entries(TABLE).flatMap(
  ([family, lines]) =>
    lines
      .trim()
      .split('\n')
      .map((line) => {
        const [mime = '', extension = '', ...aliases] = line.trim().split(' ')
        return { mime, extension, aliases, family: family as Family }
      }),
)

const byMime: ReadonlyMap<string, TypeEntry> = new Map(
  entries.flatMap((entry) => [entry.mime, ...entry.aliases].map((name) => [name, entry] as const)),
)

/** Types whose extension is shared or has several spellings; everything else follows from {@link TABLE}. */
const EXTENSION_ALIASES: Readonly<Record<string, string>> = {
  jpeg: 'jpg',
  jpe: 'jpg',
  jfif: 'jpg',
  tiff: 'tif',
  htm: 'html',
  mpeg: 'mpg',
  midi: 'mid',
  aiff: 'aif',
  tgz: 'tar.gz',
  yml: 'yaml',
  mjs: 'js',
  cjs: 'js',
  jsonl: 'ndjson',
  xsl: 'xslt',
  markdown: 'md',
  text: 'txt',
  patch: 'diff',
  mht: 'mhtml',
  h: 'c',
  cc: 'cpp',
  hpp: 'cpp',
  crt: 'pem',
  cer: 'pem',
  sqlite3: 'sqlite',
  db3: 'sqlite',
  dll: 'exe',
  stp: 'step',
  bash: 'sh',
  tsx: 'ts',
  m2ts: 'mts',
  ical: 'ics',
  conf: 'ini',
  cfg: 'ini',
  properties: 'ini',
}

const byExtension: ReadonlyMap<string, TypeEntry> = new Map(
  [...entries].reverse().map((entry) => [entry.extension, entry]),
)

/** Reduces a Content-Type value to its essence: lower case, without parameters, other spellings made one. */
export function canonicalType(value: string): string {
  const end = value.indexOf(';')
  const essence = (end < 0 ? value : value.slice(0, end)).trim().toLowerCase()
  return byMime.get(essence)?.mime ?? essence
}

/** Usual extension and family of a canonical type; `bin` and a family guessed from the top level for others. */
export function describeType(mime: string): TypeEntry {
  const known = byMime.get(mime)
  if (known !== undefined) return known
  const top = mime.slice(0, mime.indexOf('/'))
  const family: Family = mime.endsWith('+xml')
    ? 'markup'
    : top === 'image' || top === 'audio' || top === 'video' || top === 'font' || top === 'model' || top === 'text'
      ? top
      : top === 'message'
        ? 'mail'
        : 'data'
  return { mime, extension: 'bin', family }
}

/** True for the types that this package names, in any spelling. */
export const isKnownType = (mime: string): boolean => byMime.has(mime)

/** The type that an extension (without its dot, any case) usually stands for. */
export function typeOfExtension(extension: string): TypeEntry | undefined {
  const lower = extension.toLowerCase()
  return byExtension.get(EXTENSION_ALIASES[lower] ?? lower)
}

/** All canonical types, for documentation and tests. */
export const knownTypes: readonly TypeEntry[] = entries.map(({ mime, extension, family }) => ({
  mime,
  extension,
  family,
}))
