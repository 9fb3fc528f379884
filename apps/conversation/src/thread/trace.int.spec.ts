import { startTracing } from '@centralita/platform-nest';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { until } from '@centralita/testing-engines';
import { TestPlatform } from '../support.spec.js';

const MESSAGE = '0af7651916cd43dd8448eb211c80319c';
const READER = 'ab'.repeat(16);

describe('the trace of a look at a thread', () => {
  const exporter = new InMemorySpanExporter();
  let sut: TestPlatform;

  beforeAll(async () => {
    startTracing({ service: 'conversation', processors: [new SimpleSpanProcessor({ exporter })] });
    sut = await TestPlatform.start();
    // As the webhook puts records on the log: each brings the trace of its delivery.
    const append = sut.log.append.bind(sut.log);
    sut.log.append = (records) =>
      append(
        records.map((record) =>
          record.topic === 'wa.inbound.v1'
            ? { ...record, headers: { ...record.headers, traceparent: `00-${MESSAGE}-b7ad6b7169203331-01` } }
            : record,
        ),
      );
  });
  afterAll(() => sut.stop());

  it('is the reader’s own, and linked to the trace of the message that is shown', async () => {
    const { agent, path } = await sut.talking();
    const headers = { traceparent: `00-${READER}-${'cd'.repeat(8)}-01` };
    expect((await sut.call(agent, 'GET', `${path}/messages`, undefined, headers)).status).toBe(200);
    const look = await until(() => exporter.getFinishedSpans().find(({ name }) => name === 'GET /v1/conversations/:id/messages'));
    expect(look.spanContext().traceId).toBe(READER);
    expect(look.links.map((link) => link.context.traceId)).toContain(MESSAGE);
    const taken = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === MESSAGE);
    expect(taken.map(({ name }) => name)).toContain('process wa.inbound.v1');
    // What it is linked to is a span of that trace, not only its number.
    expect(taken.map((span) => span.spanContext().spanId)).toEqual(
      expect.arrayContaining(look.links.filter((link) => link.context.traceId === MESSAGE).map((link) => link.context.spanId)),
    );
  });
});
