/**
 * Links of a page. Each keeps every parameter of the request, the trash among them; what does not exist is `null`.
 *
 * @see https://jsonapi.org/format/1.1/#fetching-pagination
 */
export function pageLinks(
  url: URL,
  page: { readonly number: number; readonly size: number },
  total: number,
): Record<string, string | null> {
  const last = Math.max(1, Math.ceil(total / page.size))
  const link = (number: number) => {
    const parameters = new URLSearchParams(url.searchParams)
    parameters.set('page[number]', String(number))
    parameters.set('page[size]', String(page.size))
    return `${url.pathname}?${readable(parameters)}`
  }
  return {
    self: url.pathname + url.search,
    first: link(1),
    prev: page.number > 1 ? link(Math.min(page.number - 1, last)) : null,
    next: page.number < last ? link(page.number + 1) : null,
    last: link(last),
  }
}

/** Brackets are legal in practice and readable; everything else stays encoded. */
function readable(parameters: URLSearchParams): string {
  return parameters.toString().replaceAll('%5B', '[').replaceAll('%5D', ']')
}
