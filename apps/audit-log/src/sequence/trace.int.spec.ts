import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTracing, type Tracing } from '@centralita/platform-nest';
import { until } from '@centralita/testing-engines';
import { startHarness, type Harness } from '../support.spec.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

type Span = { readonly traceId: string; readonly spanId: string; readonly parentSpanId?: string; readonly name: string };
type Export = { readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[] };

describe('the trace of a look', () => {
  const spans: Span[] = [];
  let receiver: Server;
  let tracing: Tracing;
  let harness: Harness;

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Export;
        spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    tracing = startTracing({ service: 'audit-log', env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
    harness = await startHarness();
  });
  afterAll(async () => {
    await harness.close();
    receiver.close();
    receiver.closeAllConnections();
  });

  it('goes through the queue to the leaf, and from there with the order of leaves', async () => {
    const tenant = harness.tenant();
    const [customer] = await harness.customers(tenant.id, 1);
    const subjects = [customer?.commitment ?? ''];
    const looked = await tenant.source.access({ subjects }, 0, `00-${TRACE}-b7ad6b7169203331-01`);
    const untraced = await tenant.source.access({ subjects }, 1);
    await harness.checkpointed(tenant.id, 2);
    const orderOf = (recordId: string) =>
      harness.log.records('audit.sequenced.v1').find(({ value }) => value?.includes(`"recordId":"${recordId}"`));
    const order = await until(() => orderOf(looked.recordId));
    await until(() => orderOf(untraced.recordId));
    await tracing.shutdown();

    const ours = spans.filter(({ traceId }) => traceId === TRACE);
    const took = ours.find(({ name }) => name === 'process access.events.v1');
    const leaf = ours.filter(({ name }) => name === 'sequence leaf');
    expect(took?.parentSpanId).toBe('b7ad6b7169203331');
    expect(leaf).toHaveLength(1);
    expect(leaf[0]?.parentSpanId).toBe(took?.spanId);
    expect(order.headers['traceparent']?.toString()).toBe(`00-${TRACE}-${leaf[0]?.spanId}-01`);
    expect(orderOf(untraced.recordId)?.headers['traceparent']?.toString() ?? '').not.toContain(TRACE);
    expect(JSON.stringify(ours)).not.toContain(looked.recordId);
  });

  it('is measured: from the log to the queue, and from the look to its seal', async () => {
    const counted = async (histogram: 'projection_delay_seconds' | 'audit_sealed_seconds'): Promise<number> => {
      const { values } = await harness.service.metrics.histogram(histogram).get();
      return values.filter(({ metricName }) => metricName === `${histogram}_count`).reduce((sum, { value }) => sum + value, 0);
    };
    expect(await counted('projection_delay_seconds')).toBeGreaterThanOrEqual(2);
    expect(await counted('audit_sealed_seconds')).toBeGreaterThanOrEqual(1);
  });
});
