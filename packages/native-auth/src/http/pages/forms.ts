import type { NativeAuthError } from '../../errors.ts'
import { type Html, html } from '../../internal/html.ts'
import type { PageView } from './views.ts'

type FormView = Pick<PageView<never>, 'errors' | 'values' | 'formToken'>

/** One labelled input, tied to its hint and its error. */
export interface Field {
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'password' | 'email'
  readonly autocomplete: string
  readonly hint?: string
  readonly required?: boolean
  readonly inputmode?: 'numeric'
  readonly maxlength?: number
  readonly autofocus?: boolean
}

export function field(view: FormView, options: Field): Html {
  const { name } = options
  const error = view.errors[name]
  const described = [error !== undefined && `${name}-error`, options.hint !== undefined && `${name}-hint`]
    .filter((id) => id !== false)
    .join(' ')
  const plain = options.type !== 'password'
  const attributes = [
    options.required !== false && html` required`,
    takesFocus(view, options) && html` autofocus`,
    options.inputmode !== undefined && html` inputmode="${options.inputmode}"`,
    options.maxlength !== undefined && html` maxlength="${options.maxlength}"`,
    plain && html` value="${view.values[name] ?? ''}"`,
    name === 'username' && html` autocapitalize="none" spellcheck="false"`,
    error !== undefined && html` aria-invalid="true"`,
    described !== '' && html` aria-describedby="${described}"`,
  ]
  return html`<div class="field">
    <label for="${name}">${options.label}</label>
    <input
      id="${name}"
      name="${name}"
      type="${options.type ?? 'text'}"
      autocomplete="${options.autocomplete}"
      ${attributes}
    />
    ${options.hint !== undefined && html`<p class="hint" id="${name}-hint">${options.hint}</p>`}
    ${error !== undefined && html`<p class="error" id="${name}-error">${error}</p>`}
  </div>`
}

/** The first field to mend takes the focus; where none is, the one that the form begins with. */
function takesFocus(view: FormView, { name, autofocus }: Field): boolean {
  const [refused] = Object.keys(view.errors)
  return refused === undefined ? autofocus === true : refused === name
}

/** A form that posts, with the hidden proof that it is ours. */
export function form(view: FormView, action: string, content: Html): Html {
  return html`<form method="post" action="${action}">
    <input type="hidden" name="_xsrf" value="${view.formToken}" />
    ${content}
  </form>`
}

/** A form that is one button. */
export function button(
  view: FormView,
  action: string,
  label: string,
  style: 'primary' | 'quiet' | 'danger',
  hidden: Readonly<Record<string, string>> = {},
  subject = '',
): Html {
  const inputs = Object.entries(hidden).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  )
  const name = subject === '' ? html`` : html` aria-label="${label} ${subject}"`
  return form(view, action, html`${inputs}<button class="${style}" ${name}>${label}</button>`)
}

/** The fields of a refused input, by name, with the sentence for each. */
export function errorsOf(error: NativeAuthError | undefined): Record<string, string> {
  if (error?.code === 'NATIVE_AUTH_INVALID_CODE') return { code: error.message }
  return Object.fromEntries((error?.issues ?? []).map((issue) => [String(issue.loc[1] ?? ''), issue.msg]))
}
