import { defineSignal, muted, record } from '@org/task-context/signals'

const orderPaid = defineSignal<{ orderId: string }>('order.paid')

orderPaid.connect(({ orderId }) => console.log(`receipt for ${orderId}`))
// Ends with its block, and only itself.
{
  using _ = orderPaid.connect(({ orderId }) => console.log(`audit of ${orderId}`))
  await orderPaid.send({ orderId: 'a' })
}

// In tests: switched off, or collected. Neither touches what others do at the same time.
await muted([orderPaid], () => orderPaid.send({ orderId: 'b' }))
const { sent } = await record(orderPaid, () => orderPaid.send({ orderId: 'c' }))
console.log(sent)
