export * from './port.js';
export * from './topics.js';
export { createMemoryLog, type MemoryLog, type MemoryLogOptions } from './memory-log.js';
export { partitionOf } from './partitioner.js';
export {
  eventRecord,
  type BatchMiddleware,
  type ConsumedEvent,
  type EventBatch,
  type OnEventsOptions,
  type TopicHandler,
} from './event-batch.js';
export { activeTraceparent, isTraced, linkTraces, tracedStep, traceparentOfCause } from './tracing.js';
export { Batcher, type BatcherOptions } from './batcher.js';
export { LogDrivers, openEventLog, type EventLogOptions, type LogDriver } from './open.js';
export type { SaslOptions } from './driver/options.js';
export { OnEvents } from './nest/on-events.js';
export { BatchContext, KafkaBatchStrategy, type KafkaBatchStrategyOptions } from './nest/strategy.js';
export { byPlace, contentLeaf, LeafCollector, leafHashes, readLeaves, recordLeaf, type PartitionLeaves } from './digest.js';
export { dumpLine, dumpLog, loadDump, verifyDump, type DumpedRecord, type DumpFinding, type DumpVerdict } from './dump.js';
