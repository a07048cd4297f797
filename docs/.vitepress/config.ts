import { globSync } from 'node:fs'
import path from 'node:path'

import { defineConfig } from 'vitepress'

const docs = path.dirname(import.meta.dirname)

const pages = (folder: string, text = (name: string) => name) =>
  globSync(`${folder}/*.md`, { cwd: docs })
    .sort()
    .map((file) => path.basename(file, '.md'))
    .map((name) => ({ text: text(name), link: `/${folder}/${name}` }))

const title = (name: string) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('-', ' ')

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
    ],
    sidebar: [
      { text: 'Guides', items: pages('guide', title) },
      { text: 'Packages', items: pages('packages') },
      { text: 'Apps', items: pages('apps') },
      { text: 'Design notes', items: pages('design', title) },
      { text: 'About', items: pages('about', title) },
    ],
    socialLinks: [{ icon: 'github', link: 'https://github.com/org/org' }],
  },
})
