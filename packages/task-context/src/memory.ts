export { memoryDriver, type MemoryDriverOptions } from './drivers/memory.ts'
