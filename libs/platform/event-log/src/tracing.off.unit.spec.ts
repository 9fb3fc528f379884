import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { createMemoryLog } from './memory-log.js';
import type { RecordBatch } from './port.js';
import { tracedBatch, traceparentOfCause } from './tracing.js';

// A file of its own: a tracer that has once found a provider keeps it.
const topic = 'wa.inbound.v1';
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
afterAll(() => context.disable());

it('lets a trace that was begun elsewhere pass through a process that records none', async () => {
  const log = createMemoryLog();
  await log.append([{ topic, key: 'a', value: null, headers: { traceparent } }]);
  const records = log.records(topic);
  const batch = { topic, partition: records[0]?.partition, records } as unknown as RecordBatch;
  const followed: (string | undefined)[] = [];
  await tracedBatch(batch, 'group', async () => void followed.push(...records.map(traceparentOfCause)));
  expect(followed).toEqual([traceparent]);
});
