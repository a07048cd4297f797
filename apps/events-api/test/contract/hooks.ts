import { password, people } from '../support/world.ts'
import { insertRow, makeFixture } from './fixtures.ts'
import { createHooks, type Hooks, type Transaction } from './transaction.ts'

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** What the requests of the contract need to find, and where a rule alone does not lead to the status. */
export function contractHooks(): Hooks {
  const hooks = createHooks()

  hooks.beforeEach(async (transaction, world) => {
    const [, version, type = '', , relationship = '', linked = ''] = transaction.path.split('/')
    if (version !== 'v1') return
    const isCreation = transaction.method === 'POST' && /^\/v1\/[a-z-]+$/.test(transaction.path)
    const made = new Set<string>()
    // Somebody must be the organiser, whatever it is about; the role brings its event along.
    await makeFixture(world, 'event-roles', made, isCreation ? type : undefined)
    await makeFixture(world, type, made, isCreation ? type : undefined)
    const target = world.service.registry.get(type)?.relationships[linked || relationship]
    if (target !== undefined) await makeFixture(world, target.type, made)
    if (made.has('sessions') && made.has('speakers')) {
      await world.service.db.insertInto('sessions_speakers').values({ session_id: 1, speaker_id: 1 }).execute()
    }
  })

  // Users are there before all fixtures; the organiser is number 2, as the original's first user was.
  hooks.before(/^Users > /, ({ request }) => {
    request.path = request.path.replace(/\/1(?=\/|$)/, '/2')
    if (request.body) request.body = JSON.parse(JSON.stringify(request.body).replace('"id":"1"', '"id":"2"'))
  })
  hooks.before(/^Users > .* > 404$/, ({ request }) => {
    request.path = request.path.replace('/2', '/999999')
    if (request.body) request.body = JSON.parse(JSON.stringify(request.body).replace('"id":"2"', '"id":"999999"'))
  })
  // Rows of others are refused, not hidden.
  hooks.before(/ > 403$/, ({ request, path, method, operationId }, world) => {
    const resource = world.service.registry.get(path.split('/')[2] ?? '')
    if (resource === undefined) return
    if (resource.access.read !== 'anyone' && method === 'GET' && path.includes('{id}')) request.query = ''
    if (operationId === 'createEvent') withClientId(request)
  })

  // A row must be in the trash to come out of it.
  hooks.before(/^[\w ]+ > [\w ]+ Trash > /, async ({ request, path, status }, world) => {
    const resource = world.service.registry.get(path.split('/')[2] ?? '')!
    const id = Number(request.path.split('/')[3])
    const { db } = world.service
    const trashed = { deleted_at: new Date(), deleted_batch: crypto.randomUUID() }
    await db.withoutPlugins().updateTable(resource.table).set(trashed).where('id', '=', id).execute()
    if (status !== 409) return
    if (resource.unique !== undefined) await insertRow(world, resource)
    else await db.withoutPlugins().updateTable('events').set(trashed).where('id', '=', 1).execute()
  })

  hooks.before('Event Roles > Event Roles Collection > Create Event Role', grantMember)
  hooks.before('Exports > Export File > Download an Export', async (_, world) => {
    await world.service.db
      .updateTable('exports')
      .set({ file: Buffer.from('PK') })
      .execute()
  })

  hooks.before(/^Users > Users Trash > Restore User(?: > 412)?$/, ({ request }) => {
    request.as = 'admin'
  })

  // Conditional reads: ask once, then with the validator of the answer.
  hooks.before(/ > 304$/, async ({ request, name }, world) => {
    if (name.startsWith('Upload >')) return
    const first = await world.request('GET', request.path, { as: request.as })
    request.headers['if-none-match'] = first.headers.get('etag') ?? ''
  })

  accountHooks(hooks)
  uploadHooks(hooks)
  return hooks
}

function withClientId(request: Transaction['request']): void {
  request.as = 'organiser'
  const { data } = request.body as { data: object }
  request.body = { data: { ...data, id: '77' } }
}

async function grantMember({ request }: Transaction): Promise<void> {
  const { data } = request.body as { data: { relationships: object } }
  const user = { data: { type: 'users', id: String(people.member) } }
  request.body = { data: { ...data, relationships: { ...data.relationships, user } } }
}

function accountHooks(hooks: Hooks): void {
  const json = { 'content-type': 'application/json', accept: '*/*' }
  hooks.before('Accounts > Registration > Register a User > 409', ({ request }) => {
    request.body = { username: 'member', password: 'another long password', fullname: 'Another' }
  })
  hooks.before('Accounts > Registration > Register a User > 422', ({ request }) => {
    request.body = { username: 'grace', password: 'x' }
  })
  hooks.before('Accounts > Session > Sign in', ({ request }) => {
    request.body = { username: 'member', password }
    request.headers = json
  })
  hooks.before('Accounts > Session > Sign in > 401', ({ request }) => {
    request.body = { username: 'member', password: 'not the password' }
    request.headers = json
  })
  // The one attempt that the address has; the request itself is the next.
  hooks.before(/^Accounts > .* > 429$/, async ({ request, method }, world) => {
    request.headers = json
    if (request.path === '/login') request.body = { username: 'member', password }
    await world.request(method, request.path, { headers: json, body: JSON.stringify(request.body) })
  })
  hooks.before(/^Accounts > .* > 403$/, ({ request }) => {
    request.as = undefined
    request.headers['sec-fetch-site'] = 'cross-site'
  })
  hooks.before('Accounts > Session > Sign in > 422', ({ request }) => {
    request.body = { username: 7 }
    request.headers = json
  })
  hooks.before('Service > Documentation > Load a Part of the Documentation', ({ request }) => {
    request.path = '/docs/start.js'
  })
  hooks.before('Service > Readiness > Check Readiness > 503', (_, world) => world.service.drain())
}

function uploadHooks(hooks: Hooks): void {
  // Anybody who is signed in may upload, but not by a page of another site.
  hooks.before(/^Upload > (?:Files|Image) > .* > 403$/, ({ request }) => {
    request.as = undefined
    request.headers['sec-fetch-site'] = 'cross-site'
  })
  const form = (bytes: string | Uint8Array<ArrayBuffer>, name: string, type?: string) => {
    const body = new FormData()
    body.append('files', new Blob([bytes], type === undefined ? {} : { type }), name)
    return body
  }
  hooks.before(/^Upload > Files > /, ({ request, status }) => {
    if (status === 415) request.body = 'no form'
    else if (status === 400) request.body = new FormData()
    else if (status === 413) request.body = form('x'.repeat(2 * 1024 * 1024), 'large.txt')
    // A program is nothing that anybody may upload.
    else if (status === 422) request.body = form(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0), 'tool', 'image/png')
    else request.body = form('plain words\n', 'words.txt', 'text/plain')
  })
  hooks.before('Upload > Image > Upload an Image > 400', ({ request }) => {
    request.body = { data: 'no data URL' }
  })
  hooks.before('Upload > Image > Upload an Image > 422', ({ request }) => {
    request.body = { data: `data:image/png;base64,${Buffer.from('plain words').toString('base64')}` }
  })
  hooks.before(/^Upload > File > /, async ({ request, status }, world) => {
    const image = { data: `data:image/png;base64,${png}` }
    const headers = { 'content-type': 'application/json' }
    const uploaded = await world.request('POST', '/v1/upload/image', { as: 'organiser', body: image, headers })
    request.path = status === 404 ? '/files/none.png' : uploaded.json.data.attributes.url
    const { etag } = Object.fromEntries((await world.request('GET', uploaded.json.data.attributes.url)).headers)
    if (status === 206) request.headers['range'] = 'bytes=0-3'
    if (status === 416) request.headers['range'] = 'bytes=9000-'
    if (status === 304) request.headers['if-none-match'] = etag ?? ''
    if (status === 412) request.headers['if-match'] = '"stale"'
  })
}
