import { createReadStream } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'

import { sendPage } from './page.ts'
import { html } from '../pages/html.ts'

/** Shows a folder, or sends a file. Links that lead out of the home folder are not followed. */
export async function serveFile(
  response: ServerResponse,
  home: string,
  prefix: string,
  relative: string,
): Promise<void> {
  const root = await realpath(home)
  let target: string
  try {
    target = await realpath(path.join(root, relative))
  } catch {
    target = ''
  }
  if (target !== root && !target.startsWith(root + path.sep)) {
    sendPage(response, prefix, 'Not found', html`<p>There is no such file.</p>`, 404)
    return
  }
  const found = await stat(target)
  if (found.isDirectory()) {
    await sendFolder(response, prefix, root, target)
    return
  }
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': found.size,
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(path.basename(target))}`,
    'x-content-type-options': 'nosniff',
  })
  await pipeline(createReadStream(target), response)
}

async function sendFolder(response: ServerResponse, prefix: string, root: string, folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  const visible = entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1))
  const here = path.relative(root, folder)
  const link = (name: string, isFolder: boolean) =>
    `${prefix}files/${[...here.split(path.sep), name].filter(Boolean).map(encodeURIComponent).join('/')}${isFolder ? '/' : ''}`
  const rows = visible.map(
    (entry) =>
      html`<li>
        <a href="${link(entry.name, entry.isDirectory())}">${entry.name}${entry.isDirectory() && '/'}</a>
      </li>`,
  )
  const body = html`${here !== '' && html`<p><a href="../">Up</a></p>`}
  ${
    rows.length === 0
      ? html`<p>Nothing here yet.</p>`
      : html`<ul>
          ${rows}
        </ul>`
  }`
  sendPage(response, prefix, here === '' ? 'Files' : here, body)
}
