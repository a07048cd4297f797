import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts', 'signals/index': 'src/signals/index.ts' },
  format: 'esm',
  target: 'node22',
  clean: true,
  sourcemap: true,
  removeNodeProtocol: false,
})
