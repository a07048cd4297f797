export { type RecordedJob, testDriver, type TestDriver, type TestDriverOptions } from './test-driver.ts'
