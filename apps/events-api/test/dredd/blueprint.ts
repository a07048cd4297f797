import type { Description } from '../../src/http/description.ts'
import type { Registry } from '../../src/resources/registry.ts'
import type { Resource } from '../../src/resources/resource.ts'

/** Resources of the core paths, each with its five operations. */
const core = [
  'events',
  'sessions',
  'speakers',
  'tracks',
  'microlocations',
  'session-types',
  'sponsors',
  'speakers-calls',
]
const actions = /^(?:list|create|get|update|delete)(?!.*(?:Linkage|File))/

/**
 * Writes the core of the API as an API Blueprint, the language of the original's contract, for Dredd to read: its names
 * for groups, resources and actions are those of the operations.
 *
 * @see https://apiblueprint.org/documentation/specification.html
 */
export function blueprintOf(operations: readonly Description[], registry: Registry): string {
  const lines = ['FORMAT: 1A', '', '# Events API', '']
  for (const type of core) {
    const resource = registry.get(type)!
    const own = operations.filter(
      ({ id, path }) => actions.test(id) && (path === `/v1/${type}` || path === `/v1/${type}/{id}`),
    )
    lines.push(`# Group ${own[0]!.name[0]}`, '')
    let place = ''
    for (const operation of own) {
      const [, name, action] = operation.name
      if (name !== place) {
        lines.push(`## ${name} [${operation.path}]`, '')
        if (operation.path.includes('{id}')) lines.push('+ Parameters', '    + id: `1` (required, string)', '')
        place = name
      }
      lines.push(
        `### ${action} [${operation.method.toUpperCase()}]`,
        '',
        operation.summary,
        '',
        ...exchange(operation, resource),
      )
    }
  }
  return `${lines.join('\n')}\n`
}

function exchange(operation: Description, resource: Resource): string[] {
  const [status = '200', answer] = Object.entries(operation.responses).find(([code]) => code.startsWith('2')) ?? []
  const { body } = operation
  return [
    body === undefined ? '+ Request' : `+ Request (${body.mediaType})`,
    '    + Headers',
    '',
    '            Accept: application/vnd.api+json',
    '',
    ...(body === undefined ? [] : block('Body', body.example)),
    `+ Response ${status} (${answer?.mediaType})`,
    '',
    ...block('Body', sample(operation, resource)),
  ]
}

function block(name: string, value: unknown): string[] {
  const text = JSON.stringify(value, undefined, 2).split('\n')
  return [`    + ${name}`, '', ...text.map((line) => `            ${line}`), '']
}

/** A document as the operation answers with; Dredd compares its keys and the types of its values. */
function sample(operation: Description, resource: Resource): unknown {
  const jsonapi = { version: '1.1' }
  if (operation.method === 'delete') {
    return { jsonapi, meta: { message: 'Object successfully deleted', how: 'restorably' } }
  }
  const self = `/v1/${resource.type}/1`
  const data = {
    type: resource.type,
    id: '1',
    attributes: {
      ...Object.fromEntries(Object.entries(resource.attributes).map(([name, { example }]) => [name, example])),
      'created-at': '2027-01-01T00:00:00.000Z',
      'updated-at': '2027-01-01T00:00:00.000Z',
      'deleted-at': null,
    },
    relationships: Object.fromEntries(
      Object.keys(resource.relationships).map((name) => [name, { links: { related: `${self}/${name}` } }]),
    ),
    links: { self },
  }
  if (operation.path.includes('{id}') || operation.method === 'post') return { jsonapi, links: { self }, data }
  return { jsonapi, links: { self: `/v1/${resource.type}`, prev: null, next: null }, meta: { count: 1 }, data: [data] }
}
