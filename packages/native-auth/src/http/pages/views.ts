import type { Account } from '../../accounts/account.ts'

/** A page before the layout is put around it. */
export interface Page<Profile> {
  /** Which page it is, for layouts that treat some differently. */
  readonly kind: PageKind
  readonly title: string
  /** Trusted markup of the page's content. */
  readonly body: string
  /** Who is logged in. */
  readonly account: Account<Profile> | undefined
  readonly basePath: string
  readonly serviceName: string
}

/** The pages there are. */
export type PageKind =
  | 'login'
  | 'second-factor'
  | 'signup'
  | 'authorize'
  | 'person'
  | 'change-password'
  | 'change-password-for'
  | 'link-issued'
  | 'confirm'
  | 'reset'
  | 'forgot-password'
  | 'account'
  | 'enrol'
  | 'recovery-codes'
  | 'message'

/** What a page shows, for those who draw it themselves. */
export interface PageView<Profile> {
  readonly kind: PageKind
  /** Sentence on top, and whether it is bad news. */
  readonly notice: { readonly text: string; readonly isError: boolean } | undefined
  /** Sentence for each field that was refused. */
  readonly errors: Readonly<Record<string, string>>
  /** Values to show again; never a password. */
  readonly values: Readonly<Record<string, string>>
  /** Value of the hidden field `_xsrf` that every form carries. */
  readonly formToken: string
  readonly account: Account<Profile> | undefined
  readonly basePath: string
  readonly serviceName: string
  /** The content as this package draws it. */
  readonly body: string
}

/** How pages look. */
export interface PageOptions<Profile> {
  /** Puts the service's own layout around a page. @default a page of its own, in the reader's light or dark mode */
  readonly layout?: (page: Page<Profile>) => string | Promise<string>
  /** Draws the content of single pages; what is absent is drawn by this package. */
  readonly render?: Partial<Record<PageKind, (view: PageView<Profile>) => string | Promise<string>>>
  /** Content-Security-Policy of all pages. @default only this origin, no frames; without `layout` no scripts */
  readonly contentSecurityPolicy?: string
  /** Trusted markup for the sign-up form, such as a captcha. */
  readonly captchaHtml?: string
}
