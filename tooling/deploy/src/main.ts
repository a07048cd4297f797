/** Makes what the stack pulls elsewhere, and prints the lines for `.env` that make `compose.yaml` take it. */
import { ensurePostgresImage } from '@org/services'

import { ensureBaseImage, ensureRedisImage } from './local-images.ts'

const [base, postgres, redis] = await Promise.all([ensureBaseImage(), ensurePostgresImage(), ensureRedisImage()])
console.log(`BASE_IMAGE=${base}\nPOSTGRES_IMAGE=${postgres}\nREDIS_IMAGE=${redis}`)
