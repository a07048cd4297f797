import Docker from 'dockerode'
import type { Browser } from 'playwright-core'
import { describeWith } from '@org/services'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { launch, logIn } from './support/browser.ts'
import { ensureNotebookImage, HOST_FOLDERS } from './support/notebook-image.ts'
import { NOTEBOOK, runNotebook } from './support/notebook.ts'
import { startHub, type TestHub, until } from './support/running-hub.ts'

await describeWith(['docker', 'jupyterhub', 'chromium'], 'the docker spawner', () => {
  const docker = new Docker()
  let hub: TestHub
  let browser: Browser

  const container = async (user: string) => {
    const [found] = await docker.listContainers({ all: true, filters: { label: [`org.hub.user=${user}`] } })
    return found
  }

  beforeAll(async () => {
    const bridge = (await docker.getNetwork('bridge').inspect()) as { IPAM: { Config: { Gateway?: string }[] } }
    hub = await startHub({
      hub: { ip: '0.0.0.0', connect_host: bridge.IPAM.Config[0]?.Gateway ?? '172.17.0.1' },
      spawner: {
        kind: 'docker',
        command: 'auto',
        env: { JUPYTERHUB_SINGLEUSER_APP: 'notebook.notebookapp.NotebookApp' },
        mem_limit_mb: 512,
        cpu_limit: 1,
        start_timeout: 90,
        slow_spawn_timeout: 60,
      },
      docker: { image: await ensureNotebookImage(), read_only_mounts: HOST_FOLDERS },
    })
    browser = await launch()
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await hub?.[Symbol.asyncDispose]()
    const { Volumes: volumes } = await docker.listVolumes({
      filters: JSON.stringify({ label: ['org.hub.user=dock-er'] }),
    })
    for (const { Name } of volumes) await docker.getVolume(Name).remove()
  }, 120_000)

  test('runs a notebook and its kernel in a container, that a browser logs in to', { timeout: 180_000 }, async () => {
    await hub.command(['create-admin', 'dock-er'], { HUB_ADMIN_PASSWORD: 'correct horse battery' })
    const page = await (await browser.newContext()).newPage()
    await logIn(page, hub, 'dock-er', 'correct horse battery')
    await page.click('main button:has-text("Start")')
    await page.waitForURL('**/user/dock-er/tree**', { timeout: 90_000 })
    await page.waitForSelector('#notebook_list')

    const found = await container('dock-er')
    expect(found?.Names).toEqual(['/jupyter-dock-2der'])
    const inspected = await docker.getContainer(found?.Id ?? '').inspect()
    expect(inspected.HostConfig).toMatchObject({
      Memory: 512 * 1024 ** 2,
      NanoCpus: 1e9,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      PidsLimit: 512,
    })
    expect(JSON.stringify(inspected)).not.toMatch(/API_TOKEN=[0-9a-f]/)
    expect(inspected.NetworkSettings.Ports['8888/tcp']).toMatchObject([{ HostIp: '127.0.0.1' }])

    // Written as its own pages write it, into the user's volume.
    const written = await page.evaluate(
      `fetch('/user/dock-er/api/contents/sums.ipynb', {
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'x-xsrftoken': /_xsrf=([^;]+)/.exec(document.cookie)[1] },
        body: ${JSON.stringify(JSON.stringify({ type: 'notebook', format: 'json', content: NOTEBOOK }))},
      }).then(({ status }) => status)`,
    )
    expect(written).toBe(201)
    await page.goto(`${hub.url}user/dock-er/tree`)
    await page.waitForSelector('#notebook_list >> text=sums.ipynb')
    await runNotebook(page, `${hub.url}user/dock-er/notebooks/sums.ipynb`)
    await page.goto(`${hub.url}user/dock-er/tree`)

    await hub.end('SIGKILL')
    await hub.start()
    expect((await hub.call('GET', '/users/dock-er')).json).toMatchObject({ server: '/user/dock-er/' })
    expect((await container('dock-er'))?.Id).toBe(found?.Id)
    await page.reload()
    await page.waitForSelector('#notebook_list')

    await docker.getContainer(found?.Id ?? '').kill()
    await until(async () => (await hub.call('GET', '/users/dock-er')).json['server'] === null)
    await until(async () => (await container('dock-er')) === undefined)
    expect((await hub.call('POST', '/users/dock-er/server')).status).toBe(201)
    await page.goto(`${hub.url}user/dock-er/tree`)
    // The files outlive the container.
    await page.waitForSelector('#notebook_list >> text=sums.ipynb')
    expect((await hub.call('DELETE', '/users/dock-er/server')).status).toBe(204)
    expect(await container('dock-er')).toBeUndefined()
  })
})
