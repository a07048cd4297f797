import { imageSizes, removeFiles } from '../jobs/definitions.ts'
import { choice, integer, text } from './attributes.ts'
import { defineResource, toOne } from './resource.ts'
import { createTable, referenceIndex } from './table.ts'

/** Files of clients. Created by `POST /v1/upload/files` and `/v1/upload/image`; the bytes are in content-sniff's store. */
export const uploads = defineResource({
  type: 'uploads',
  singular: 'upload',
  description: 'A stored file. Its type is read from its bytes, not from what the client called it.',
  table: 'uploads',
  softDelete: true,
  ownerColumn: 'owner_id',
  access: { read: 'owner', create: 'nobody', update: 'nobody', remove: 'owner' },
  attributes: {
    key: text({ set: 'never', query: false, max: 300, description: 'Name in the store.', example: 'ab/cd/file.png' }),
    url: text({
      set: 'never',
      query: false,
      max: 400,
      description: 'Where it is served.',
      example: '/files/ab/file.png',
    }),
    filename: text({ set: 'never', description: 'Name it came with, cleaned.', example: 'logo.png' }),
    'media-type': text({ set: 'never', description: 'Type read from the bytes.', example: 'image/png' }),
    'size-bytes': integer({ set: 'never', min: 0, description: 'Length in bytes.', example: 2048 }),
    sha256: text({ set: 'never', max: 64, description: 'Digest, hexadecimal.', example: 'e3b0c44298fc1c14' }),
    purpose: choice(['file', 'image'], { set: 'never', description: 'Images get sizes.', example: 'image' }),
    sizes: text({ set: 'never', query: false, max: 2000, description: 'JSON: address by size.', example: '{}' }),
  },
  relationships: {
    owner: toOne('users', 'owner_id', { set: 'never' }),
    task: toOne('tasks', 'task_id', { set: 'never' }),
  },
  afterDelete: async (row, enqueue) => {
    const key = row['key'] as string
    await enqueue(removeFiles, { keys: [key, ...imageSizes.map((size) => `${key}.${size}.webp`)] })
  },
  migrations: {
    '2026_11_21_070_uploads': createTable(
      'uploads',
      `owner_id integer references users on delete set null,
       task_id integer references tasks on delete set null,
       key text not null unique,
       url text not null,
       filename text not null,
       media_type text not null,
       size_bytes integer not null,
       sha256 text not null,
       purpose text not null,
       sizes text`,
      { trash: true, indexes: [referenceIndex('uploads', 'owner_id')] },
    ),
  },
})
