import { defineConfig } from 'tsup'

// One file with everything in it: user mode carries it into containers that have nothing but a Node.
export default defineConfig({
  entry: { 'swan-probe': 'src/main.ts' },
  format: 'esm',
  target: 'node22',
  platform: 'node',
  outExtension: () => ({ js: '.mjs' }),
  noExternal: [/.*/],
  splitting: false,
  // yaml is CommonJS inside and asks for node:process and the like.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  // Less to read at every start.
  minify: true,
  clean: true,
  removeNodeProtocol: false,
})
