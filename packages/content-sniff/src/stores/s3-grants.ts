import type { CopyObjectCommandInput, Grant, S3Client } from '@aws-sdk/client-s3'

import { statusOf } from './s3-parts.ts'
import { loadClient } from './s3-sdk.ts'

/** Access lists as parameters of a copy. */
type Grants = Pick<CopyObjectCommandInput, 'GrantFullControl' | 'GrantRead' | 'GrantReadACP' | 'GrantWriteACP'>

const PARAMETERS = {
  FULL_CONTROL: 'GrantFullControl',
  READ: 'GrantRead',
  READ_ACP: 'GrantReadACP',
  WRITE_ACP: 'GrantWriteACP',
} as const satisfies Record<string, keyof Grants>

/**
 * What an object grants to others than its owner, which a copy would take back: it starts private.
 *
 * Empty where nothing is granted, where the store knows no such lists, and where the caller may not read them.
 */
export async function grantsOf(
  client: S3Client,
  at: { readonly Bucket: string; readonly Key: string },
  signal: { readonly abortSignal?: AbortSignal },
): Promise<Grants> {
  const { GetObjectAclCommand } = await loadClient()
  try {
    const { Owner, Grants: grants = [] } = await client.send(new GetObjectAclCommand(at), signal)
    if (grants.every(({ Grantee }) => Grantee?.ID !== undefined && Grantee.ID === Owner?.ID)) return {}
    const lists: Record<string, string> = {}
    for (const { Grantee, Permission } of grants) {
      const grantee = nameOf(Grantee)
      if (grantee === undefined || Permission === undefined || !(Permission in PARAMETERS)) continue
      const parameter = PARAMETERS[Permission as keyof typeof PARAMETERS]
      lists[parameter] = lists[parameter] === undefined ? grantee : `${lists[parameter]}, ${grantee}`
    }
    return lists
  } catch (error) {
    const status = statusOf(error)
    // An outage is no answer; taking it for one would make a public object private.
    if (status === undefined || (status >= 500 && status !== 501)) throw error
    return {}
  }
}

function nameOf(grantee: Grant['Grantee']): string | undefined {
  if (grantee?.URI !== undefined) return `uri="${grantee.URI}"`
  if (grantee?.ID !== undefined) return `id="${grantee.ID}"`
  return grantee?.EmailAddress === undefined ? undefined : `emailAddress="${grantee.EmailAddress}"`
}
