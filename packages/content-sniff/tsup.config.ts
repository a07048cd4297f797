import { defineConfig } from 'tsup'

export default defineConfig({
  entry: { index: 'src/index.ts', s3: 'src/s3.ts', deep: 'src/deep.ts', cli: 'src/cli/main.ts' },
  format: 'esm',
  target: 'node22',
  clean: true,
  sourcemap: true,
  removeNodeProtocol: false,
  // The sources are in the package; the maps need no second copy of them.
  esbuildOptions: (options) => {
    options.sourcesContent = false
  },
})
