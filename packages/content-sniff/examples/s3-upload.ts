import { S3Client } from '@aws-sdk/client-s3'
import { createUploader } from '@org/content-sniff'
import { S3Store } from '@org/content-sniff/s3'

// Region, credentials and AWS_ENDPOINT_URL_S3 come from the environment, as for any AWS tool.
const client = new S3Client({ forcePathStyle: true })
const store = new S3Store({ client, bucket: process.env['BUCKET'] ?? 'uploads', prefix: 'avatars/' })
const uploads = createUploader({ store, policy: { allow: ['image'], maxBytes: 5_000_000 } })

const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')
const stored = await uploads.put(new Blob([gif]).stream(), { filename: 'me.gif', key: 'anna.gif', overwrite: true })
console.log(stored.key, stored.type.mime, stored.size)

// Straight to the bucket: a link for exactly this type and size, once, and a look at the bytes afterwards.
const url = await store.presignPut('berta.gif', { contentType: 'image/gif', contentLength: gif.length })
await fetch(url, {
  method: 'PUT',
  body: gif,
  headers: { 'content-type': 'image/gif', 'content-disposition': 'attachment', 'if-none-match': '*' },
})
const verified = await uploads.verifyUploaded('berta.gif', { declaredType: 'image/gif' })
console.log(verified.key, verified.disposition)
client.destroy()
