import { count, location, size } from '../../config/params.ts'

export const filePath = location('File, or a folder with a slash at the end.', { aliases: ['filepath', 'fileName'] })
export const folderPath = location('Folder to write in.', { aliases: ['filepath', 'dest'] })
export const fileSize = size('Size of a file.', { aliases: ['file_size'] })
export const fileNumber = count('How many files.', { aliases: ['num'] })

/** Limit in seconds where the file gives none: half a minute, and a megabyte a second beyond. */
export const transferLimit = (bytes: number): number => 30 + bytes / 1e6
