import { expect, test } from 'vitest'

import { isUserName, safeName, serverFileName, serverNames, urlName } from './names.ts'

test.each([
  ['ada', 'ada', 'ada'],
  ['a-b', 'a-b', 'a-2db'],
  ['a@b', 'a@b', 'a-40b'],
  ['Ünï', '%C3%9Cn%C3%AF', '-c3-9cn-c3-af'],
  ["o'neil", 'o%27neil', 'o-27neil'],
  ['x%2Fy', 'x%252Fy', 'x-252-46y'],
])('%s is %s in a path and %s in a container', (name, path, file) => {
  expect(urlName(name)).toBe(path)
  expect(safeName(name)).toBe(file)
})

test('long names stay apart and short enough', () => {
  const [one, two] = ['a', 'b'].map((last) => safeName(`${'é'.repeat(200)}${last}`))
  expect(one).not.toBe(two)
  expect(one?.length).toBe(120)
})

test('two servers never share a name', () => {
  const all = [
    ['a', 'b'],
    ['a--b', ''],
    ['a-b', ''],
    ['a', ''],
  ] as const
  expect(new Set(all.map(([user, server]) => serverFileName(user, server))).size).toBe(4)
  expect(new Set(all.map(([user, server]) => serverNames('/', user, server).clientId)).size).toBe(4)
})

test('the proxy holds names unescaped, browsers see them escaped', () => {
  expect(serverNames('/lab/', 'a b', 'x y')).toEqual({
    prefix: '/lab/user/a%20b/x%20y/',
    route: '/lab/user/a b/x y/',
    clientId: 'jupyterhub-user-a%20b%2Fx%20y',
    progressPath: '/lab/hub/api/users/a%20b/servers/x%20y/progress',
  })
})

test.each(['ada', 'a b', '🐙', 'n'.repeat(255)])('%j can be a user', (name) => {
  expect(isUserName(name)).toBe(true)
})
test.each(['', '.', '..', 'a/b', 'a\\b', ' a', 'a\n', '\ud800', 'n'.repeat(256)])('%j cannot', (name) => {
  expect(isUserName(name)).toBe(false)
})
