/**
 * `node:http` and `node:https`, loaded when first used.
 *
 * An `import` of them reads every export, among them the WebSocket client, which loads the whole of undici: more time
 * than most probes take. https://github.com/nodejs/node/blob/main/lib/http.js
 */
export const builtinHttp = () => process.getBuiltinModule('node:http')
export const builtinHttps = () => process.getBuiltinModule('node:https')
