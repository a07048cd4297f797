import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import type { Sample } from './sample.ts'

const run = promisify(execFile)

/** A program's output: file name, type, arguments; `OUT` stands for the file. */
type Recipe = readonly [file: string, mime: string, args: readonly string[]]

const PICTURE = ['-size', '64x48', 'plasma:red-blue']
const convert = (file: string, mime: string, ...extra: string[]): Recipe => [file, mime, [...PICTURE, ...extra]]

const PICTURES: readonly Recipe[] = [
  convert('JPEG:a.jpg', 'image/jpeg'),
  convert('JPEG:b.jpg', 'image/jpeg', '-interlace', 'JPEG', '-quality', '40'),
  convert('JPEG:c.jpg', 'image/jpeg', '-colorspace', 'CMYK'),
  convert('JPEG:d.jpg', 'image/jpeg', '-resize', '900x700!', '-quality', '98'),
  convert('PNG8:a.png', 'image/png'),
  convert('PNG48:b.png', 'image/png'),
  convert('GIF87:a.gif', 'image/gif'),
  ['GIF:b.gif', 'image/gif', ['-delay', '10', ...PICTURE, ...PICTURE, '-loop', '0']],
  convert('WEBP:a.webp', 'image/webp'),
  convert('WEBP:b.webp', 'image/webp', '-define', 'webp:lossless=true'),
  convert('AVIF:a.avif', 'image/avif'),
  convert('HEIC:a.heic', 'image/heic'),
  convert('BMP:a.bmp', 'image/bmp'),
  convert('BMP2:b.bmp', 'image/bmp'),
  convert('TIFF:a.tif', 'image/tiff'),
  convert('TIFF:b.tif', 'image/tiff', '-endian', 'MSB', '-compress', 'LZW'),
  convert('ICO:a.ico', 'image/x-icon'),
  convert('PSD:a.psd', 'image/vnd.adobe.photoshop'),
  convert('JP2:a.jp2', 'image/jp2'),
  convert('J2K:a.j2k', 'image/j2c'),
  convert('PBM:a.pbm', 'image/x-portable-bitmap'),
  convert('PGM:a.pgm', 'image/x-portable-graymap'),
  convert('PPM:a.ppm', 'image/x-portable-pixmap'),
  convert('PPM:b.ppm', 'image/x-portable-pixmap', '-compress', 'none'),
  convert('PAM:a.pam', 'image/x-portable-arbitrarymap'),
  convert('PCX:a.pcx', 'image/vnd.zbrush.pcx'),
  convert('DCX:a.dcx', 'image/x-dcx'),
  convert('TGA:a.tga', 'image/x-tga'),
  convert('SGI:a.sgi', 'image/x-sgi'),
  convert('SUN:a.ras', 'image/x-sun-raster'),
  convert('XPM:a.xpm', 'image/x-xpixmap'),
  convert('XBM:a.xbm', 'image/x-xbitmap'),
  convert('XWD:a.xwd', 'image/x-xwindowdump'),
  convert('DDS:a.dds', 'image/vnd.ms-dds'),
  convert('DPX:a.dpx', 'image/x-dpx'),
  convert('CIN:a.cin', 'image/cineon'),
  convert('FITS:a.fits', 'image/fits'),
  convert('HDR:a.hdr', 'image/vnd.radiance'),
  convert('PICT:a.pct', 'image/x-pict'),
  convert('MNG:a.mng', 'image/x-mng'),
  convert('JNG:a.jng', 'image/x-jng'),
  convert('PDF:a.pdf', 'application/pdf'),
  convert('PDF:b.pdf', 'application/pdf', '-resize', '1200x1200!'),
  convert('PS:a.ps', 'application/postscript'),
  convert('EPS:a.eps', 'application/eps'),
  convert('HTML:a.html', 'application/xhtml+xml'),
]

const SOUND = ['-f', 'lavfi', '-i', 'sine=duration=0.6']
const FILM = ['-f', 'lavfi', '-i', 'testsrc=duration=0.6:size=96x64:rate=10']
const sound = (file: string, mime: string, ...extra: string[]): Recipe => [file, mime, [...SOUND, ...extra]]
const film = (file: string, mime: string, ...extra: string[]): Recipe => [file, mime, [...FILM, ...extra]]

const MEDIA: readonly Recipe[] = [
  sound('a.mp3', 'audio/mpeg'),
  sound('b.mp3', 'audio/mpeg', '-id3v2_version', '0', '-write_xing', '0'),
  sound('c.mp3', 'audio/mpeg', '-metadata', 'title=A title', '-id3v2_version', '4'),
  sound('a.mp2', 'audio/mpeg'),
  sound('a.aac', 'audio/aac'),
  sound('a.m4a', 'audio/mp4'),
  sound('a.ogg', 'audio/ogg', '-c:a', 'libvorbis'),
  sound('a.opus', 'audio/ogg'),
  sound('a.spx', 'audio/ogg', '-ar', '16000'),
  sound('a.flac', 'audio/flac'),
  sound('a.wav', 'audio/wav'),
  sound('b.wav', 'audio/wav', '-c:a', 'adpcm_ms'),
  sound('a.aiff', 'audio/aiff'),
  sound('a.au', 'audio/basic'),
  sound('a.caf', 'audio/x-caf'),
  sound('a.ac3', 'audio/ac3'),
  sound('a.voc', 'audio/x-voc'),
  sound('a.wv', 'audio/wavpack'),
  sound('a.tta', 'audio/x-tta'),
  sound('a.wma', 'audio/x-ms-wma'),
  sound('a.mka', 'audio/x-matroska'),
  sound('a.weba', 'audio/webm', '-c:a', 'libopus', '-f', 'webm'),
  film('a.mp4', 'video/mp4', '-c:v', 'mpeg4'),
  film('b.mp4', 'video/mp4', '-c:v', 'libx264', '-movflags', '+faststart'),
  film('c.mp4', 'video/mp4', '-c:v', 'libx264', '-movflags', 'frag_keyframe+empty_moov'),
  film('a.m4v', 'video/x-m4v', '-c:v', 'mpeg4', '-f', 'ipod'),
  film('a.mov', 'video/quicktime', '-c:v', 'mpeg4'),
  film('a.3gp', 'video/3gpp', '-s', '176x144', '-c:v', 'h263'),
  film('a.3g2', 'video/3gpp2', '-s', '176x144', '-c:v', 'mpeg4'),
  film('a.webm', 'video/webm', '-c:v', 'libvpx'),
  film('a.mkv', 'video/matroska', '-c:v', 'mpeg4'),
  film('a.avi', 'video/vnd.avi', '-c:v', 'mpeg4'),
  film('b.avi', 'video/vnd.avi', '-c:v', 'mjpeg'),
  film('a.wmv', 'video/x-ms-wmv'),
  film('a.asf', 'video/x-ms-asf', '-c:v', 'msmpeg4'),
  film('a.flv', 'video/x-flv'),
  film('a.ts', 'video/mp2t'),
  film('a.mpg', 'video/mpeg'),
  film('b.mpg', 'video/mpeg', '-f', 'vob'),
  film('a.ogv', 'video/ogg', '-c:v', 'libtheora'),
  film('a.mxf', 'application/mxf', '-c:v', 'mpeg2video', '-r', '25'),
  film('a.rm', 'application/vnd.rn-realmedia', '-c:v', 'rv10'),
  film('a.nut', 'video/x-nut', '-c:v', 'mpeg4'),
  film('a.ivf', 'video/x-ivf', '-c:v', 'libvpx'),
  film('a.y4m', 'video/x-yuv4mpeg', '-f', 'yuv4mpegpipe', '-pix_fmt', 'yuv420p'),
  film('a.apng', 'image/apng', '-f', 'apng'),
  film('a.swf', 'application/x-shockwave-flash', '-c:v', 'flv'),
  film('a.gif', 'image/gif'),
  film('a.jls', 'image/jls', '-frames:v', '1', '-c:v', 'jpegls', '-f', 'image2'),
  film('a.jxl', 'image/jxl', '-frames:v', '1', '-c:v', 'libjxl', '-f', 'image2'),
  film('a.exr', 'image/x-exr', '-frames:v', '1'),
  film('a.qoi', 'image/x-qoi', '-frames:v', '1', '-c:v', 'qoi', '-f', 'image2'),
]

/** Shell lines that leave files behind; each works in an empty folder with `note.txt` in it. */
const ARCHIVERS: readonly (readonly [program: string, file: string, mime: string, line: string])[] = [
  ['zip', 'a.zip', 'application/zip', 'zip -q a.zip note.txt'],
  ['zip', 'b.zip', 'application/zip', 'cat note.txt | zip -q > b.zip -'],
  ['7z', 'a.7z', 'application/x-7z-compressed', '7z a -bd a.7z note.txt'],
  ['7z', 'c.zip', 'application/zip', '7z a -bd -tzip -mem=AES256 -psecret c.zip note.txt'],
  ['7z', 'b.tar', 'application/x-tar', '7z a -bd -ttar b.tar note.txt'],
  ['7z', 'a.wim', 'application/x-ms-wim', '7z a -bd -twim a.wim note.txt'],
  ['tar', 'a.tar', 'application/x-tar', 'tar cf a.tar note.txt'],
  ['tar', 'c.tar', 'application/x-tar', 'tar --format=v7 -cf c.tar note.txt'],
  ['gzip', 'a.gz', 'application/gzip', 'gzip -c note.txt > a.gz'],
  ['bzip2', 'a.bz2', 'application/x-bzip2', 'bzip2 -c note.txt > a.bz2'],
  ['xz', 'a.xz', 'application/x-xz', 'xz -c note.txt > a.xz'],
  ['xz', 'a.lzma', 'application/x-lzma', 'xz --format=lzma -c note.txt > a.lzma'],
  ['zstd', 'a.zst', 'application/zstd', 'zstd -q -c note.txt > a.zst'],
  ['lz4', 'a.lz4', 'application/x-lz4', 'lz4 -q -c note.txt > a.lz4'],
  ['ar', 'a.a', 'application/x-unix-archive', 'ar rc a.a note.txt'],
  ['cpio', 'a.cpio', 'application/x-cpio', 'echo note.txt | cpio -o -H newc > a.cpio'],
  [
    'git',
    'a.bundle',
    'application/x-git-bundle',
    'git init -q g && cd g && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && git bundle create -q ../a.bundle HEAD',
  ],
  ['openssl', 'a.pem', 'application/pem-certificate-chain', 'openssl genrsa -out a.pem 1024'],
  [
    'openssl',
    'a.der',
    'application/pkix-cert',
    'openssl req -x509 -newkey rsa:1024 -nodes -keyout k -subj /CN=a -outform DER -out a.der',
  ],
  [
    'openssl',
    'a.p12',
    'application/x-pkcs12',
    'openssl req -x509 -newkey rsa:1024 -nodes -keyout k2 -subj /CN=a -out c2 && openssl pkcs12 -export -inkey k2 -in c2 -passout pass:x -out a.p12',
  ],
]

/** LibreOffice's filters: from a text, a table or a drawing. */
const OFFICE: readonly (readonly [source: string, file: string, mime: string, filter: string])[] = [
  ['note.txt', 'note.odt', 'application/vnd.oasis.opendocument.text', 'odt'],
  ['note.txt', 'note.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
  ['note.txt', 'note.doc', 'application/msword', 'doc:MS Word 97'],
  ['note.txt', 'note.rtf', 'application/rtf', 'rtf'],
  ['note.txt', 'note.pdf', 'application/pdf', 'pdf'],
  ['note.txt', 'note.epub', 'application/epub+zip', 'epub'],
  ['note.txt', 'note.fodt', 'application/vnd.oasis.opendocument.text-flat-xml', 'fodt'],
  ['note.txt', 'note.dotx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.template', 'dotx'],
  ['note.txt', 'note.ott', 'application/vnd.oasis.opendocument.text-template', 'ott'],
  ['table.csv', 'table.ods', 'application/vnd.oasis.opendocument.spreadsheet', 'ods'],
  ['table.csv', 'table.xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 'xlsx'],
  ['table.csv', 'table.xls', 'application/vnd.ms-excel', 'xls'],
  ['table.csv', 'table.xltx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.template', 'xltx'],
  ['table.csv', 'table.dbf', 'application/x-dbf', 'dbf'],
  ['table.csv', 'table.html', 'application/xhtml+xml', 'xhtml'],
  ['picture.fodg', 'picture.odg', 'application/vnd.oasis.opendocument.graphics', 'odg'],
  ['picture.fodp', 'picture.odp', 'application/vnd.oasis.opendocument.presentation', 'odp'],
  ['picture.fodp', 'picture.pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation', 'pptx'],
  ['picture.fodp', 'picture.ppt', 'application/vnd.ms-powerpoint', 'ppt'],
  ['picture.fodg', 'picture.svg', 'image/svg+xml', 'svg'],
  ['picture.fodg', 'picture.emf', 'image/emf', 'emf'],
  ['picture.fodg', 'picture.wmf', 'image/wmf', 'wmf'],
]

/** Which groups of encoders to run; those that are not installed are left out. */
export type EncoderGroup = 'pictures' | 'media' | 'archives' | 'office'

/** Files written by real encoders, as far as they are installed. */
export async function encodedSamples(groups: readonly EncoderGroup[]): Promise<Sample[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'content-sniff-corpus-'))
  const samples: Sample[] = []
  const options = { cwd: folder, timeout: 120_000, maxBuffer: 8 * 1024 * 1024, env: { ...process.env, HOME: folder } }
  const take = async (origin: string, file: string, mime: string): Promise<void> => {
    const bytes = await readFile(path.join(folder, file)).catch(() => undefined)
    if (bytes !== undefined && bytes.length > 0) samples.push({ name: `${origin} ${file}`, mime, bytes })
  }
  // A program that is missing, or built without one encoder, leaves a gap and no failure.
  const attempt = (program: string, args: readonly string[]): Promise<unknown> =>
    run(program, [...args], options).catch(() => undefined)
  try {
    await writeFile(path.join(folder, 'note.txt'), 'A note with some words.\n'.repeat(200))
    await writeFile(path.join(folder, 'table.csv'), 'ID,NAME\n1,Anna\n2,Jean\n')
    if (groups.includes('pictures')) {
      // One program for all pictures: starting it takes longer than any of them.
      await attempt('convert', [
        ...PICTURES.flatMap(([target, , args]) => ['(', ...args, '-write', target, ')', '+delete']),
        'null:',
      ])
      for (const [target, mime] of PICTURES) await take('convert', target.slice(target.indexOf(':') + 1), mime)
    }
    if (groups.includes('media')) {
      for (const [file, mime, args] of MEDIA) {
        await attempt('ffmpeg', ['-v', 'error', '-nostdin', '-threads', '1', '-y', ...args, file])
        await take('ffmpeg', file, mime)
      }
    }
    if (groups.includes('archives')) {
      for (const [, file, mime, line] of ARCHIVERS) {
        await attempt('sh', ['-c', line])
        await take('shell', file, mime)
      }
    }
    if (groups.includes('office')) await office(folder, attempt, take)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return samples
}

async function office(
  folder: string,
  attempt: (program: string, args: readonly string[]) => Promise<unknown>,
  take: (origin: string, file: string, mime: string) => Promise<void>,
): Promise<void> {
  for (const kind of ['drawing', 'presentation']) {
    const flat = `<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0" office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.${kind === 'drawing' ? 'graphics' : 'presentation'}"><office:body><office:${kind}><draw:page draw:name="p"><draw:rect svg:width="2cm" svg:height="2cm" svg:x="1cm" svg:y="1cm"/></draw:page></office:${kind}></office:body></office:document>`
    await writeFile(path.join(folder, kind === 'drawing' ? 'picture.fodg' : 'picture.fodp'), flat)
  }
  for (const [source, file, mime, filter] of OFFICE) {
    await attempt('soffice', [
      `-env:UserInstallation=file://${folder}/profile`,
      '--headless',
      '--convert-to',
      filter,
      source,
    ])
    const made = (await readdir(folder)).includes(file)
    if (made) await take('soffice', file, mime)
  }
}
