import { runHelper } from './helper.ts'

runHelper()
