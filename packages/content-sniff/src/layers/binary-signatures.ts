/** One fixed byte string, and further ones that must hold too. */
interface Rule {
  readonly mime: string
  readonly parts: readonly (readonly [offset: number, bytes: Uint8Array])[]
}

/**
 * Signatures that file-type does not know, one a line: `mime offset bytes [offset bytes …]`; bytes in hexadecimal or
 * quoted ASCII.
 *
 * From the formats' own specifications, the PRONOM registry and the magic files of shared-mime-info (Oct 2026).
 */
const LINES = `
  image/vnd.djvu 0 "AT&TFORM" 12 "DJV"
  image/vnd.ms-dds 0 "DDS " 4 7c000000
  image/x-exr 0 762f3101
  image/x-dcx 0 b168de3a
  image/x-sun-raster 0 59a66a95
  image/x-dpx 0 "SDPX"
  image/x-dpx 0 "XPDS"
  image/cineon 0 802a5fd7
  image/wmf 0 d7cdc69a
  image/wmf 0 010009000003
  image/emf 0 01000000 40 " EMF"
  image/x-mng 0 8a4d4e470d0a1a0a
  image/x-jng 0 8b4a4e470d0a1a0a
  image/x-qoi 0 "qoif"
  image/ktx2 0 ab4b5458203230bb0d0a1a0a
  image/x-canon-crw 6 "HEAPCCDR"
  image/x-pict 522 001102ff
  image/x-portable-arbitrarymap 0 "P7" 2 0a
  image/fits 0 "SIMPLE  =                    T"
  image/vnd.radiance 0 "#?RADIANCE"
  image/vnd.radiance 0 "#?RGBE"
  audio/basic 0 ".snd"
  audio/x-mod 1080 "M.K."
  audio/x-mod 1080 "M!K!"
  audio/x-mod 1080 "FLT4"
  audio/x-mod 1080 "4CHN"
  audio/x-mod 1080 "6CHN"
  audio/x-mod 1080 "8CHN"
  audio/x-tta 0 "TTA1"
  audio/x-sid 0 "PSID" 4 00
  audio/x-sid 0 "RSID" 4 00
  audio/vnd.dts 0 7ffe8001
  audio/amr-wb 0 "#!AMR-WB"
  video/x-ivf 0 "DKIF"
  video/x-nut 0 "nut/multimedia container"
  video/x-yuv4mpeg 0 "YUV4MPEG2 "
  video/x-dv 0 1f0700
  application/x-font-type1 0 8001 6 "%!"
  application/x-font-pcf 0 01666370
  application/x-font-psf 0 72b54a86
  application/x-dvi 0 f702
  application/vnd.wordperfect 0 ff575043
  application/vnd.lotus-1-2-3 0 000002000604
  application/vnd.lotus-1-2-3 0 00001a0000100400
  application/vnd.lotus-1-2-3 0 00001a0002100400
  application/vnd.lotus-1-2-3 0 00001a0003100400
  application/vnd.lotus-1-2-3 0 00001a0005100400
  application/x-mswrite 0 31be000000ab
  application/x-mswrite 0 32be000000ab
  application/msword 0 dba5
  application/msword 0 fe37
  application/vnd.ms-excel 0 0900040000001000
  application/vnd.ms-excel 0 0900040002001000
  application/vnd.ms-excel 0 0900040007001000
  application/vnd.ms-excel 0 0902060000001000
  application/vnd.ms-excel 0 0902060000020000
  application/vnd.ms-excel 0 0904060000001000
  application/vnd.ms-excel 0 0904060000020000
  application/vnd.ms-excel 0 09080800
  application/vnd.ms-onenote 0 e4525c7b8cd8a74daeb15378d02996d3
  application/vnd.ms-onenote 0 a12ff43fd9efae4eac2c
  application/vnd.quark.quarkxpress 2 "MMXPR3"
  application/vnd.quark.quarkxpress 2 "IIXPR3"
  application/x-hwp 0 "HWP Document File"
  application/x-hdf5 0 894844460d0a1a0a
  application/x-hdf5 512 894844460d0a1a0a
  application/x-hdf4 0 0e031301
  application/x-netcdf 0 43444601
  application/x-netcdf 0 43444602
  application/x-netcdf 0 43444605
  application/x-numpy 0 934e554d5059
  application/x-matlab-data 0 "MATLAB 5.0 MAT-file"
  application/x-msaccess 4 "Standard Jet DB"
  application/x-msaccess 4 "Standard ACE DB"
  application/x-bplist 0 "bplist0"
  application/cbor 0 d9d9f7
  application/x-stata-dta 0 "<stata_dta><header>"
  application/x-sas-data 0 000000000000000000000000c2ea8160b31411cfbd92080009c7318c181f1011
  application/x-pcapng 0 0a0d0d0a 8 1a2b3c4d
  application/x-pcapng 0 0a0d0d0a 8 4d3c2b1a
  application/vnd.tcpdump.pcap 0 a1b23c4d
  application/vnd.tcpdump.pcap 0 4d3cb2a1
  application/pkix-cert 0 3082 4 3082 8 a003020102
  application/pkix-cert 0 3082 4 3082 8 0201
  application/pkcs7-mime 0 3080 2 06092a864886f70d0107
  application/pkcs7-mime 0 3082 4 06092a864886f70d0107
  application/x-pkcs12 0 3082 4 02010330
  application/x-java-keystore 0 feedfeed000000
  application/x-java-keystore 0 cececece000000
  application/x-gettext-translation 0 de120495
  application/x-gettext-translation 0 950412de
  application/x-git-pack 0 "PACK" 4 000000
  application/x-git-bundle 0 "# v2 git bundle"
  application/x-git-bundle 0 "# v3 git bundle"
  application/x-berkeley-db 12 62310500
  application/x-berkeley-db 12 00053162
  application/x-berkeley-db 12 61150600
  application/x-berkeley-db 12 00061561
  application/x-tzif 0 "TZif"
  application/vnd.ms-tnef 0 789f3e22
  application/x-python-pickle 0 800495
  application/x-python-pickle 0 800595
  application/x-python-pickle 0 80025d71
  application/x-python-pickle 0 80027d71
  application/x-python-pickle 0 80037d71
  application/x-python-pickle 0 80035d71
  application/x-python-pickle 0 80036371
  application/x-grib 0 "GRIB" 7 01
  application/x-grib 0 "GRIB" 7 02
  application/x-terminfo 0 1a01
  application/x-terminfo 0 1e02
  application/x-windows-registry-hive 0 "regf"
  application/vnd.ms-outlook-pst 0 "!BDN"
  application/warc 0 "WARC/"
  application/x-internet-archive 0 "filedesc://"
  application/x-lzop 0 894c5a4f000d0a1a0a
  application/x-xar 0 "xar!"
  application/x-zoo 20 dca7c4fd
  application/x-stuffit 0 "SIT!"
  application/x-stuffit 0 "StuffIt (c)"
  application/x-qemu-disk 0 514649fb
  application/x-virtualbox-vdi 64 7f10dabe
  application/x-vmdk 0 "KDMV"
  application/x-vhd 0 "conectix"
  application/x-vhdx 0 "vhdxfile"
  application/vnd.squashfs 0 "hsqs"
  application/vnd.squashfs 0 "sqsh"
  application/x-ms-wim 0 "MSWIM"
  application/x-snappy-framed 0 ff060000 4 "sNaPpY"
  application/x-mozilla-lz4 0 "mozLz40" 7 00
  application/x-java-pack200 0 cafed00d
  application/vnd.android.dex 0 "dex" 3 0a30
  application/x-lua-bytecode 0 1b4c7561
  application/x-llvm-bitcode 0 4243c0de
  application/x-gameboy-rom 260 ceed6666cc0d000b
  application/x-mach-binary 0 feedface
  application/x-mach-binary 0 feedfacf
  application/x-mach-binary 0 cefaedfe
  application/x-mach-binary 0 cffaedfe
  model/vnd.usdc 0 "PXR-USDC"
  model/ply 0 "ply" 3 0a
  model/ply 0 "ply" 3 0d0a
  application/postscript 0 c5d0d3c6
  application/postscript 0 042521
  application/postscript 0 1b252d3132333435
  application/x-bittorrent 0 "d8:announce"
  application/x-bittorrent 0 "d13:announce-list"
  application/x-bittorrent 0 "d10:created by"
  application/x-bittorrent 0 "d7:comment"
  application/x-bittorrent 0 "d4:info"
  application/x-bittorrent 0 "d13:creation date"
  application/vnd.corel-draw 0 "RIFF" 8 "CDR"
  application/vnd.corel-draw 0 "RIFF" 8 "cdr"
  application/x-unix-archive 0 "!<arch>"
`

const parse = (bytes: string): Uint8Array =>
  bytes.startsWith('"') ? Buffer.from(bytes.slice(1, -1), 'latin1') : Buffer.from(bytes, 'hex')

const RULES: readonly Rule[] = LINES.trim()
  .split('\n')
  .map((line) => {
    const [mime = '', ...rest] = line.trim().match(/"[^"]*"|\S+/g) ?? []
    const parts: (readonly [number, Uint8Array])[] = []
    for (let index = 0; index + 1 < rest.length; index += 2)
      parts.push([Number(rest[index]), parse(rest[index + 1] ?? '')])
    return { mime, parts }
  })

/** Rules by the byte at offset 0, and those that start elsewhere. */
const byFirstByte = new Map<number, Rule[]>()
const elsewhere: Rule[] = []
for (const rule of RULES) {
  const [offset, bytes] = rule.parts[0] ?? [0, new Uint8Array(0)]
  if (offset !== 0) elsewhere.push(rule)
  else byFirstByte.set(bytes[0] ?? 0, [...(byFirstByte.get(bytes[0] ?? 0) ?? []), rule])
}

/** Formats that file-type passes over when they are cut within their first chunk or page. */
const CUT_SHORT: readonly (readonly [start: string, mime: string])[] = [
  ['89504e470d0a1a0a', 'image/png'],
  ['ffd8ff', 'image/jpeg'],
  ['4f67675300', 'application/ogg'],
]

/** The type of a picture or recording whose signature is all that can be read of it. */
export function matchCutShort(head: Uint8Array): string | undefined {
  const start = Buffer.from(head.subarray(0, 8)).toString('hex')
  return CUT_SHORT.find(([signature]) => start.startsWith(signature))?.[1]
}

/** The type whose fixed bytes a head starts with. */
export function matchSignature(head: Uint8Array): string | undefined {
  const candidates = byFirstByte.get(head[0] ?? -1) ?? []
  return (candidates.find((rule) => holds(rule, head)) ?? elsewhere.find((rule) => holds(rule, head)))?.mime
}

function holds(rule: Rule, head: Uint8Array): boolean {
  return rule.parts.every(([offset, bytes]) => bytes.every((byte, index) => head[offset + index] === byte))
}
