// Follows a start by server-sent events and goes on when the server is ready.
const steps = document.querySelector('#steps')
const bar = document.querySelector('#bar')
const message = document.querySelector('#message')
const events = new EventSource(steps.dataset.events)

events.addEventListener('message', ({ data }) => {
  const event = JSON.parse(data)
  bar.value = event.progress
  message.textContent = event.message
  const step = document.createElement('li')
  step.textContent = event.message
  steps.append(step)
  if (!event.ready && !event.failed) return
  events.close()
  location.assign(event.ready ? event.url : steps.dataset.self)
})
events.addEventListener('error', () => {
  // The hub may have been restarted: the page itself knows where to go from here.
  events.close()
  setTimeout(() => location.reload(), 1000)
})
