import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { defineConfig } from 'vitepress'

const docs = path.dirname(import.meta.dirname)

const names = (folder: string) =>
  globSync(`${folder}/*.md`, { cwd: docs })
    .map((file) => path.basename(file, '.md'))
    .sort()

const pages = (folder: string) => names(folder).map((name) => ({ text: name, link: `/${folder}/${name}` }))

/** By their headings, those named first in front. */
const titled = (folder: string, ...first: readonly string[]) =>
  [...new Set([...first, ...names(folder)])].map((name) => ({
    text: /^# (.+)$/m.exec(readFileSync(path.join(docs, folder, `${name}.md`), 'utf8'))?.[1] ?? name,
    link: `/${folder}/${name}`,
  }))

export default defineConfig({
  title: 'org',
  description: 'Five small packages for multi-user services, and three apps that prove them',
  lang: 'en',
  cleanUrls: true,
  lastUpdated: false,
  // Keeps esbuild from reading the repository's TypeScript settings, whose target it does not know.
  vite: { esbuild: { tsconfigRaw: '{}' } },
  srcExclude: ['src/**', 'node_modules/**'],
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Quick start', link: '/guide/quick-start' },
      { text: 'Packages', link: '/packages/native-auth' },
      { text: 'Apps', link: '/apps/hub' },
      { text: 'API', link: '/api/' },
      { text: 'Deploy', link: '/guide/deploy' },
    ],
    sidebar: [
      {
        text: 'Guides',
        items: titled('guide', 'quick-start', 'run-a-hub', 'build-on-events-api', 'watch-with-swan-probe', 'deploy'),
      },
      { text: 'Packages', items: pages('packages') },
      { text: 'Apps', items: pages('apps') },
      { text: 'Design notes', items: titled('design') },
      { text: 'About', items: titled('about') },
    ],
    socialLinks: [{ icon: 'github', link: 'https://github.com/org/org' }],
  },
})
