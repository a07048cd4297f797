// The peers are optional, and loaded when first used: presigning is not needed where nobody presigns.
import type * as Client from '@aws-sdk/client-s3'
import type * as Uploads from '@aws-sdk/lib-storage'
import type * as Forms from '@aws-sdk/s3-presigned-post'
import type * as Links from '@aws-sdk/s3-request-presigner'

/** The client's commands. */
export const loadClient = (): Promise<typeof Client> => import('@aws-sdk/client-s3')

/** Uploads in parts. */
export const loadUpload = (): Promise<typeof Uploads> => import('@aws-sdk/lib-storage')

/** Presigned links. */
export const loadPresigner = (): Promise<typeof Links> => import('@aws-sdk/s3-request-presigner')

/** Presigned forms. */
export const loadPresignedPost = (): Promise<typeof Forms> => import('@aws-sdk/s3-presigned-post')
