import { location } from '../../config/params.ts'

/** The repository that a file belongs to; the original asks for it everywhere. */
export const repoPath = location('Where the repository is mounted.', { aliases: ['repo_path', 'repo'] })
