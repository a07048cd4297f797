import { flagOrPath, map, name, names, oneOf, port, seconds, text } from '../../config/params.ts'

/** Where the hub is; every probe of the group takes these. */
export const addressParams = {
  scheme: oneOf(['https', 'http'])('How to speak to it; the original always uses https.', { fallback: 'https' }),
  hostname: name('Host name or address, without a scheme.', { fallback: 'localhost' }),
  port: port('Port of the proxy.', { fallback: 443 }),
  base_path: text('Prefix of the hub, empty for none.', { fallback: '' }),
  token: text('Token of a service or an admin; empty to use the one beside it.', { fallback: '', secret: true }),
  verify: flagOrPath('Check the certificate: true, false, or a file of CA certificates.', {
    aliases: ['TLS'],
    fallback: true,
  }),
}

export const users = names('Users whose servers are meant.')
export const server = text('Name of a named server, empty for the default one.', { fallback: '' })
export const container = oneOf(['no', 'yes'], { true: 'yes', false: 'no' })(
  'Also look for the container of the session through the Docker engine.',
  { fallback: 'no' },
)
export const options = map('What the spawn form would send; free-form.', { aliases: ['json'], fallback: {} })
export const delay = seconds('How long a server may take until it is ready.', { aliases: ['timedelay'], fallback: 30 })
