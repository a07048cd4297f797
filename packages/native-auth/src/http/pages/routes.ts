import type { Route } from '../handler.ts'
import { accountRoutes } from './account.ts'
import { authorizeRoutes } from './authorize.ts'
import { changePasswordRoutes } from './change-password.ts'
import { loginRoutes } from './login.ts'
import { signUpRoutes } from './signup.ts'

/** The pages, which work without JavaScript. */
export function pageRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    ...loginRoutes<Profile>(),
    ...signUpRoutes<Profile>(),
    ...authorizeRoutes<Profile>(),
    ...changePasswordRoutes<Profile>(),
    ...accountRoutes<Profile>(),
  ]
}
