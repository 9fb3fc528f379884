import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTracing } from '@centralita/platform-nest';
import { until } from '@centralita/testing-engines';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { startHarness, type Harness } from '../support.spec.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

describe('the trace of a look', () => {
  const exporter = new InMemorySpanExporter();
  let harness: Harness;

  beforeAll(async () => {
    startTracing({ service: 'audit-log', processors: [new SimpleSpanProcessor({ exporter })] });
    harness = await startHarness();
  });
  afterAll(() => harness.close());

  it('goes through the queue to the leaf, and from there with the order of leaves', async () => {
    const tenant = harness.tenant();
    const [customer] = await harness.customers(tenant.id, 1);
    const looked = await tenant.source.access({ subjects: [customer?.commitment ?? ''] }, 0, `00-${TRACE}-b7ad6b7169203331-01`);
    const untraced = await tenant.source.access({ subjects: [customer?.commitment ?? ''] }, 1);
    await harness.checkpointed(tenant.id, 2);

    const ours = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === TRACE);
    const took = ours.find(({ name }) => name === 'process access.events.v1');
    const leaf = ours.find(({ name }) => name === 'sequence leaf');
    expect(took?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(leaf?.parentSpanContext?.spanId).toBe(took?.spanContext().spanId);
    expect(leaf?.attributes).toEqual({});

    const orderOf = (recordId: string) =>
      harness.log.records('audit.sequenced.v1').find(({ value }) => value?.includes(`"recordId":"${recordId}"`));
    const order = await until(() => orderOf(looked.recordId));
    expect(order.headers['traceparent']?.toString()).toBe(`00-${TRACE}-${leaf?.spanContext().spanId}-01`);
    expect(orderOf(untraced.recordId)?.headers['traceparent']?.toString() ?? '').not.toContain(TRACE);
  });
});
