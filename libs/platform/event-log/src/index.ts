export * from './port.js';
export * from './topics.js';
export { createMemoryLog, type MemoryLog, type MemoryLogOptions } from './memory-log.js';
export { partitionOf } from './partitioner.js';
export { eventRecord, type BatchMiddleware, type ConsumedEvent, type EventBatch, type OnEventsOptions } from './event-batch.js';
export { Batcher, type BatcherOptions } from './batcher.js';
export { openEventLog, type EventLogOptions } from './open.js';
export type { SaslOptions } from './kafkajs/client.js';
