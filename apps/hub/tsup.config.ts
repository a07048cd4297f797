import { defineConfig } from 'tsup'

// Two programs in plain JavaScript: taking the types off at every start costs half a second and 50 MiB. Libraries of many
// small files are built in, since each file would cost memory of its own; what is native stays outside, and of what
// few hubs need nothing is loaded before it is asked for.
export default defineConfig({
  entry: { main: 'src/main.ts', singleuser: 'src/singleuser/main.ts' },
  format: 'esm',
  target: 'node24',
  splitting: true,
  clean: true,
  sourcemap: true,
  minifySyntax: true,
  minifyWhitespace: true,
  noExternal: ['@hono/node-server', 'hono', 'kysely', '@org/native-auth', 'uqr', 'yaml'],
  external: ['argon2', 'bcrypt'],
  esbuildOptions: (options) => {
    options.conditions = ['@org/source']
    options.alias = {
      'node:http2': './src/http/no-http2.ts',
      // As modules, of which a few are needed; Node itself would get all of them in another form.
      yaml: './node_modules/yaml/browser/dist/index.js',
    }
  },
  removeNodeProtocol: false,
})
