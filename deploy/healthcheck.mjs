// Asks an app's own health route: exit code 0 or 1, and the reason for `docker inspect`. Plain JavaScript: it runs often.
const url = process.env.HEALTH_URL
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4000) })
  console.log(response.status, (await response.text()).slice(0, 500))
  process.exitCode = response.ok ? 0 : 1
} catch (error) {
  console.log(url, String(error.cause ?? error))
  process.exitCode = 1
}
