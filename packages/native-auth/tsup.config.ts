import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts', 'node-rs': 'src/node-rs.ts', cli: 'src/cli/main.ts' },
  format: 'esm',
  target: 'node22',
  clean: true,
  sourcemap: true,
  removeNodeProtocol: false,
})
