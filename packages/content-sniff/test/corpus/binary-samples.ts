import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { brotliCompressSync, crc32, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'

import type { Sample } from './sample.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')
const pad = (bytes: Buffer, length = 256): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(Math.max(0, length - bytes.length))])

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

/** A complete PNG of one grey pixel row after another; `extra` chunks go in front of the picture data. */
export function png(size = 1, extra: readonly (readonly [type: string, data: Buffer])[] = []): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header[8] = 8
  const rows = Buffer.alloc((size + 1) * size)
  return Buffer.concat([
    hex('89504e470d0a1a0a'),
    chunk('IHDR', header),
    ...extra.map(([type, data]) => chunk(type, data)),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** A complete GIF of one pixel; a comment may stand in front of the picture. */
export function gif(comment = ''): Buffer {
  const note =
    comment === ''
      ? Buffer.alloc(0)
      : Buffer.concat([hex('21fe'), Buffer.from([comment.length]), Buffer.from(comment), hex('00')])
  return Buffer.concat([
    Buffer.from('GIF89a'),
    hex('01000100800000 000000ffffff'),
    note,
    hex('2c00000000010001000002024401003b'),
  ])
}

/** A complete grey JPEG of one pixel. */
export function jpeg(): Buffer {
  return Buffer.from(
    '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAFA3PEY8MlBGQUZaVVBfeMiCeG5uePWvuZHI////////////////////////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AP//Z',
    'base64',
  )
}

/** A small valid PDF with an empty page. */
export function pdf(extra = ''): Buffer {
  const body = `%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>\nendobj\n${extra}`
  return Buffer.from(
    `${body}xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`,
    'latin1',
  )
}

/** A tar archive of one file. */
export function tar(name = 'a.txt', data = 'hello'): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000644\0' + '0000000\0' + '0000000\0', 100)
  header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        0', 148)
  header.write('ustar\0' + '00', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, pad(Buffer.from(data), 512), Buffer.alloc(1024)])
}

function wav(): Buffer {
  const data = Buffer.alloc(800, 0x80)
  const header = Buffer.alloc(44)
  header.write('RIFF')
  header.writeUInt32LE(36 + data.length, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(8000, 28)
  header.writeUInt16LE(1, 32)
  header.writeUInt16LE(8, 34)
  header.write('data', 36)
  header.writeUInt32LE(data.length, 40)
  return Buffer.concat([header, data])
}

function elf(type: number, interpreter = ''): Buffer {
  const header = pad(hex('7f454c4602010100'), 64)
  header.writeUInt16LE(type, 16)
  header.writeUInt16LE(62, 18)
  return pad(Buffer.concat([header, Buffer.from(interpreter)]), 512)
}

function pe(): Buffer {
  const bytes = pad(Buffer.from('MZ\x90\x00', 'latin1'), 512)
  bytes.writeUInt32LE(128, 60)
  bytes.write('PE\0\0', 128)
  return bytes
}

function sqlite(): Uint8Array {
  using database = new DatabaseSync(':memory:')
  database.exec('create table t(a); insert into t values (1)')
  const folder = mkdtempSync(path.join(tmpdir(), 'content-sniff-sqlite-'))
  try {
    database.exec(`vacuum into '${folder}/a.db'`)
    return readFileSync(path.join(folder, 'a.db'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Headers of formats whose writers are not at hand, after the formats' own documents. */
const HEADERS: readonly (readonly [mime: string, bytes: Buffer])[] = [
  [
    'image/vnd.djvu',
    Buffer.concat([Buffer.from('AT&TFORM'), hex('00000100'), Buffer.from('DJVUINFO'), Buffer.alloc(64)]),
  ],
  ['image/vnd.ms-dds', pad(hex('444453207c000000'))],
  ['image/x-exr', pad(hex('762f310102000000'))],
  ['image/emf', Buffer.concat([hex('01000000 6c000000'), Buffer.alloc(32), Buffer.from(' EMF'), Buffer.alloc(64)])],
  ['image/wmf', pad(hex('d7cdc69a0000'))],
  ['image/x-qoi', pad(Buffer.concat([Buffer.from('qoif'), hex('00000001000000010300')]))],
  ['image/x-mng', pad(hex('8a4d4e470d0a1a0a'))],
  ['image/jxl', pad(hex('0000000c4a584c200d0a870a00000014667479706a786c20'))],
  ['image/x-icon', pad(hex('00000100010010100000010020006804000016000000'))],
  [
    'image/vnd.adobe.photoshop',
    pad(Buffer.concat([Buffer.from('8BPS'), hex('0001000000000000000300000001000000010008 0003')])),
  ],
  ['image/icns', pad(Buffer.concat([Buffer.from('icns'), hex('00000100')]))],
  ['audio/basic', pad(Buffer.concat([Buffer.from('.snd'), hex('00000018000000100000000100001f4000000001')]))],
  ['audio/midi', pad(Buffer.concat([Buffer.from('MThd'), hex('000000060000000100604d54726b0000000400ff2f00')]))],
  ['audio/amr', pad(Buffer.from('#!AMR\n\x3c\x00', 'latin1'))],
  ['font/woff2', pad(Buffer.concat([Buffer.from('wOF2'), hex('00010000 00000100')]))],
  ['application/vnd.wordperfect', pad(hex('ff57504310000000010a0201'))],
  ['application/x-hdf5', pad(hex('894844460d0a1a0a00'))],
  ['application/x-netcdf', pad(hex('4344460100000000'))],
  ['application/x-numpy', pad(Buffer.concat([hex('934e554d5059010076'), Buffer.from("00{'descr': '<f8'}")]))],
  ['application/x-matlab-data', pad(Buffer.from('MATLAB 5.0 MAT-file, Platform: GLNXA64\0'))],
  ['application/x-dbf', pad(hex('037c0a1f0300000061001c0000000000000000000000000000000000'))],
  ['application/x-msaccess', pad(Buffer.concat([hex('00010000'), Buffer.from('Standard Jet DB\0')]))],
  ['application/x-bplist', pad(Buffer.from('bplist00\xd1\x01\x02', 'latin1'))],
  ['application/x-bittorrent', pad(Buffer.from('d8:announce20:http://example.org/\x00', 'latin1'))],
  ['application/vnd.apache.parquet', Buffer.concat([Buffer.from('PAR1'), Buffer.alloc(64), Buffer.from('PAR1')])],
  ['application/avro', pad(Buffer.from('Obj\x01\x04\x14avro.codec', 'latin1'))],
  ['application/vnd.tcpdump.pcap', pad(hex('d4c3b2a1020004000000000000000000ffff000001000000'))],
  ['application/x-pcapng', pad(hex('0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000'))],
  ['application/x-java-keystore', pad(hex('feedfeed00000002'))],
  ['application/x-gettext-translation', pad(hex('de12049500000000'))],
  ['application/pkix-cert', pad(hex('3082030a308201f2a003020102020900'))],
  ['application/x-pkcs12', pad(hex('308209b0020103308209'))],
  ['application/dicom', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), hex('02000000554c0400')])],
  ['application/x-git-pack', pad(hex('5041434b0000000200000001'))],
  ['application/wasm', pad(hex('0061736d01000000'))],
  ['application/java-vm', pad(hex('cafebabe0000003400100a0003000d'))],
  ['application/x-mach-binary', pad(hex('cffaedfe0700000103000000'))],
  ['application/vnd.android.dex', pad(Buffer.from('dex\n035\0'))],
  ['application/x-shockwave-flash', pad(hex('43575308ff0000'))],
  ['application/x-llvm-bitcode', pad(hex('4243c0de35140000'))],
  ['application/x-python-bytecode', pad(hex('a70d0d0a00000000e5a1c4650a000000'))],
  ['application/x-xar', pad(Buffer.concat([Buffer.from('xar!'), hex('001c0001')]))],
  ['application/x-lzop', pad(hex('894c5a4f000d0a1a0a1040'))],
  ['application/x-qemu-disk', pad(hex('514649fb00000003'))],
  ['application/vnd.squashfs', pad(Buffer.from('hsqs\x10\0\0\0'))],
  ['application/x-zoo', pad(Buffer.concat([Buffer.from('ZOO 2.10 Archive.\x1a\0\0', 'latin1'), hex('dca7c4fd')]))],
  ['application/vnd.rar', pad(hex('526172211a0701003392b5e50a01050600'))],
  ['application/vnd.ms-cab-compressed', pad(Buffer.from('MSCF\0\0\0\0\x2c\x01\0\0', 'latin1'))],
  ['model/gltf-binary', pad(hex('676c544602000000ac000000'))],
  ['application/x-blender', pad(Buffer.from('BLENDER-v300REND\0'))],
  ['video/x-flv', pad(hex('464c5601050000000900000000'))],
  ['video/x-ivf', pad(Buffer.from('DKIF\0\0\x20\0VP80', 'latin1'))],
  ['application/vnd.ms-htmlhelp', pad(Buffer.concat([Buffer.from('ITSF'), hex('0300000060000000')]))],
  ['application/x-ms-shortcut', pad(hex('4c0000000114020000000000c000000000000046'))],
]

/** Files made here, byte by byte or by Node itself. */
export function binarySamples(): Sample[] {
  const text = Buffer.from('The quick brown fox. '.repeat(40))
  const made: readonly (readonly [mime: string, name: string, bytes: Uint8Array])[] = [
    ['image/png', 'one pixel', png()],
    ['image/png', 'large', png(600)],
    ['image/png', 'with text', png(4, [['tEXt', Buffer.from('Comment\0nothing')]])],
    ['image/gif', 'one pixel', gif()],
    ['image/gif', 'with comment', gif('made by hand')],
    ['image/jpeg', 'one pixel', jpeg()],
    ['application/pdf', 'empty page', pdf()],
    ['application/pdf', 'long', pdf('% comment\n'.repeat(20_000))],
    ['application/x-tar', 'tar', tar()],
    ['audio/wav', 'wav', wav()],
    ['application/gzip', 'gzip', gzipSync(text)],
    ['application/gzip', 'tar.gz', gzipSync(tar())],
    ['application/zstd', 'zstd', zstdCompressSync(text)],
    [
      'application/octet-stream',
      'brotli',
      brotliCompressSync(Buffer.from(Array.from({ length: 999 }, (_, index) => (index * index * 31) & 0xff))),
    ],
    ['application/x-executable', 'elf', elf(2)],
    ['application/x-executable', 'elf pie', elf(3, '/lib64/ld-linux-x86-64.so.2')],
    ['application/x-sharedlib', 'elf so', elf(3)],
    ['application/x-object', 'elf o', elf(1)],
    ['application/vnd.microsoft.portable-executable', 'pe', pe()],
    ['application/x-executable', 'this node', readFileSync(process.execPath).subarray(0, 200_000)],
    ['application/vnd.sqlite3', 'sqlite', sqlite()],
  ]
  return [
    ...made.map(([mime, name, bytes]) => ({ mime, name, bytes })),
    ...HEADERS.map(([mime, bytes]) => ({ mime, name: `header of ${mime}`, bytes })),
  ]
}
