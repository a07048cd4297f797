import type { Route } from '../route.ts'
import { accountRoutes } from './account.ts'
import { authorizeRoutes } from './authorize.ts'
import { changePasswordRoutes } from './change-password.ts'
import { linkRoutes } from './links.ts'
import { loginRoutes } from './login.ts'
import { personRoutes } from './person.ts'
import { secondFactorRoutes } from './second-factor.ts'
import { signUpRoutes } from './signup.ts'

/** The pages, which work without JavaScript. */
export function pageRoutes<Profile>(): readonly Route<Profile>[] {
  return [
    ...loginRoutes<Profile>(),
    ...signUpRoutes<Profile>(),
    ...secondFactorRoutes<Profile>(),
    ...linkRoutes<Profile>(),
    ...authorizeRoutes<Profile>(),
    ...personRoutes<Profile>(),
    ...changePasswordRoutes<Profile>(),
    ...accountRoutes<Profile>(),
  ]
}
