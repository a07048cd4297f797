import { isIPv4, isIPv6 } from 'node:net'

/**
 * Names the network that an address is counted under: /24 of IPv4, /64 of IPv6; IPv4 in IPv6 clothes is IPv4.
 *
 * @returns `undefined` for what is not an address: unknown clients never share a bucket.
 */
export function networkOf(address: string | undefined, bits4: 24 | 32 = 24): string | undefined {
  if (address === undefined) return undefined
  const plain = address.replace(/%.*$/, '')
  if (isIPv4(plain)) return bits4 === 32 ? plain : `${plain.split('.').slice(0, 3).join('.')}.0/24`
  if (!isIPv6(plain)) return undefined
  const groups = expand(plain)
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xff_ff
  if (mapped) {
    const [high = 0, low = 0] = groups.slice(6)
    return networkOf([high >> 8, high & 255, low >> 8, low & 255].join('.'), bits4)
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

function expand(address: string): number[] {
  const dotted = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const hex = (high: string | undefined, low: string | undefined) => (Number(high) * 256 + Number(low)).toString(16)
  const text =
    dotted === null
      ? address
      : `${address.slice(0, dotted.index)}${hex(dotted[1], dotted[2])}:${hex(dotted[3], dotted[4])}`
  const [head = '', tail] = text.split('::')
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)))
  const left = parse(head)
  if (tail === undefined) return left
  const right = parse(tail)
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right]
}
