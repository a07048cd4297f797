import { RequestError } from '../errors.ts'
import type { NewDatabase, PersonalDatabase } from '../databases/databases.ts'
import { type Html, html } from './html.ts'
import { pageResponse, proofField } from './layout.ts'
import type { PageCall, PageRoute } from './page-route.ts'
import { redirect } from './visitor.ts'

function row({ hub, visitor }: PageCall, database: PersonalDatabase): Html {
  const { reader } = visitor
  const here = `${hub.config.base_url}hub/databases`
  const act = (action: string, words: string, danger = false) =>
    html`<form method="post" action="${here}/${action}" class="inline">
      ${proofField(reader)}<input type="hidden" name="name" value="${database.name}" />
      <button class="${danger ? 'danger' : 'quiet'}" aria-label="${words} ${database.name}">${words}</button>
    </form>`
  const runs = database.state === 'running'
  return html`<li>
    <span class="who"
      ><b>${database.name}</b> <span class="tag ${runs ? 'ready' : ''}">${database.state}</span><br /><span class="hint"
        >postgres://${database.user}@${database.host}:${database.port}/postgres</span
      ></span
    >
    <span class="acts">
      ${runs ? html`<a class="button" href="${here}/${database.name}/console">Console</a>` : act('start', 'Start')}
      ${runs && act('stop', 'Stop')} ${act('delete', 'Delete', true)}
    </span>
  </li>`
}

async function list(call: PageCall, made?: NewDatabase): Promise<Response> {
  const { hub, visitor } = call
  const { reader, user } = visitor
  let databases: PersonalDatabase[]
  try {
    databases = await hub.databases.list(user)
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    const body = html`<p class="notice bad" role="alert">There are no databases here: ${error.message}</p>`
    return pageResponse(hub.config.base_url, { title: 'My databases', body, reader }, error.status)
  }
  const body = html`${
      made !== undefined &&
      html`<div class="notice" role="status">
        <p>${made.name} is ready. Copy this now, the password is not shown again:</p>
        <code class="secret" id="address">${made.url}</code>
      </div>`
    }
    <ul class="rows">
      ${databases.map((each) => row(call, each))}
    </ul>
    ${databases.length === 0 && html`<p>You have none yet.</p>`}
    <h2>A new database</h2>
    <form method="post" action="${hub.config.base_url}hub/databases" class="line">
      ${proofField(reader)}<label for="name">Name</label>
      <input id="name" name="name" required maxlength="31" pattern="[a-z][a-z0-9_\\-]*" aria-describedby="rule" />
      <button>Create</button>
    </form>
    <p class="hint" id="rule">Lower-case letters, digits, - and _. It takes a few seconds.</p>`
  return pageResponse(hub.config.base_url, { title: 'My databases', body, reader, wide: true })
}

async function console_({ hub, visitor, params }: PageCall): Promise<Response> {
  const database = await hub.databases.get(visitor.user, params['name'] ?? '')
  const here = `${hub.config.base_url}hub`
  const body = html`<div
      id="terminal"
      data-socket="${here}/databases/${database.name}/socket?proof=${visitor.reader.proof}"
    ></div>
    <p class="hint">psql, as the owner of the database. <code>\\q</code> ends it.</p>
    <p class="more"><a href="${here}/databases">Back to my databases</a></p>`
  return pageResponse(hub.config.base_url, {
    title: `Console of ${database.name}`,
    body,
    reader: visitor.reader,
    wide: true,
    head: html`<link rel="stylesheet" href="${here}/static/xterm.css" />`,
    scripts: ['console.js'],
  })
}

function act(path: string, run: (call: PageCall, name: string) => Promise<void>): PageRoute {
  return {
    method: 'POST',
    path: `/databases/${path}`,
    async run(call) {
      await run(call, call.form.get('name') ?? '')
      return redirect(`${call.hub.config.base_url}hub/databases`)
    },
  }
}

/** A user's databases. */
export const databaseRoutes: readonly PageRoute[] = [
  { method: 'GET', path: '/databases', run: (call) => list(call) },
  {
    method: 'POST',
    path: '/databases',
    run: async (call) => list(call, await call.hub.databases.create(call.visitor.user, call.form.get('name') ?? '')),
  },
  { method: 'GET', path: '/databases/:name/console', run: console_ },
  act('start', ({ hub, visitor }, name) => hub.databases.start(visitor.user, name)),
  act('stop', ({ hub, visitor }, name) => hub.databases.stop(visitor.user, name)),
  act('delete', ({ hub, visitor }, name) => hub.databases.remove(visitor.user, name)),
]
