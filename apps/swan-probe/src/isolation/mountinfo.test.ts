import { expect, test } from 'vitest'

import { mountOf, parseMountinfo, readMounts } from './mountinfo.ts'

const table = String.raw`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /eos rw,nosuid shared:12 master:3 - fuse eosxd rw,user_id=0
31 22 0:41 / /eos/user rw - fuse.eosxd home-u rw
32 22 8:1 /srv/data /mnt/bind rw - ext4 /dev/sda1 rw
33 22 0:50 / /mnt/with\040space\011and\134slash rw - tmpfs tmp\040fs rw
34 30 0:60 / /eos rw - tmpfs hides rw
broken line
`

const mounts = parseMountinfo(table)

test('reads every line, decodes what is escaped, copes with any number of optional fields', () => {
  expect(mounts).toHaveLength(6)
  expect(mounts[1]).toMatchObject({ id: 30, device: '0:40', mountPoint: '/eos', type: 'fuse', source: 'eosxd' })
  expect(mounts[3]).toMatchObject({ root: '/srv/data', mountPoint: '/mnt/bind' })
  expect(mounts[4]).toMatchObject({ mountPoint: '/mnt/with space\tand\\slash', source: 'tmp fs' })
})

test.each([
  ['/', 22],
  ['/etc/passwd', 22],
  ['/eosx', 22],
  ['/eos/user/u/user2', 31],
  ['/eos/project', 34],
  ['/eos', 34],
  ['/mnt/bind/../bind/x', 32],
  ['/mnt/with space\tand\\slash/x', 33],
])('%s is on mount %d', (target, id) => {
  expect(mountOf(target, mounts)?.id).toBe(id)
})

test('reads the table of this machine', () => {
  expect(mountOf('/', readMounts())?.mountPoint).toBe('/')
})
