import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { trace } from '@opentelemetry/api';
import { loadConfig, platformEnv } from '../config.js';
import { startTracing } from './tracing.js';

type Body = {
  resourceSpans: {
    resource: { attributes: { key: string; value: { stringValue?: string } }[] };
    scopeSpans: { spans: { name: string }[] }[];
  }[];
};

describe('what is sent to a collector', () => {
  const received: { headers: IncomingHttpHeaders; body: Body }[] = [];
  let stop = async (): Promise<void> => undefined;
  afterEach(async () => {
    await stop();
    received.length = 0;
    trace.disable();
  });

  const record = async (env: Record<string, string>, names: readonly string[]): Promise<void> => {
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => (text += part.toString()));
      request.on('end', () => {
        received.push({ headers: request.headers, body: JSON.parse(text) as Body });
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stop = () => new Promise((resolve) => server.close(() => resolve()));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [settings] = loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env }, platformEnv);
    const tracing = startTracing({ service: 'billing', env: settings });
    for (const name of names) trace.getTracer('spec').startSpan(name).end();
    await tracing.shutdown();
    server.closeAllConnections();
  };
  const attributes = (): Record<string, string | undefined> =>
    Object.fromEntries(
      (received[0]?.body.resourceSpans[0]?.resource.attributes ?? []).map(({ key, value }) => [key, value.stringValue]),
    );
  const spans = (): string[] =>
    received.flatMap(({ body }) =>
      body.resourceSpans.flatMap((each) => each.scopeSpans.flatMap((scope) => scope.spans.map(({ name }) => name))),
    );

  it('carries the headers and says what the platform team says of this process', async () => {
    await record(
      {
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc,x-team=a',
        OTEL_RESOURCE_ATTRIBUTES: 'k8s.pod.name=billing-0,service.version=1.2.3,service.name=of-attributes',
        OTEL_SERVICE_NAME: 'books',
        SERVICE_INSTANCE: 'billing-0',
      },
      ['one'],
    );
    expect(received[0]?.headers).toMatchObject({ authorization: 'Bearer abc', 'x-team': 'a' });
    expect(attributes()).toMatchObject({
      'service.name': 'books',
      'service.version': '1.2.3',
      'service.instance.id': 'billing-0',
      'k8s.pod.name': 'billing-0',
    });
    expect(spans()).toEqual(['one']);
  });

  it('is what the sampler lets through', async () => {
    const many = Array.from({ length: 200 }, (_, index) => `span ${index}`);
    await record({ OTEL_TRACES_SAMPLER: 'always_off' }, many);
    expect(spans()).toEqual([]);
    await stop();
    trace.disable();
    await record({ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' }, many);
    // Of two hundred coins neither none nor all fall on one side.
    expect(spans().length).toBeGreaterThan(40);
    expect(spans().length).toBeLessThan(160);
  });

  it('is refused with settings that mean nothing', () => {
    const wrong = { OTEL_TRACES_SAMPLER: 'sometimes', OTEL_TRACES_SAMPLER_ARG: '2', OTEL_RESOURCE_ATTRIBUTES: 'x' };
    expect(() => loadConfig(wrong, platformEnv)).toThrow(
      /OTEL_RESOURCE_ATTRIBUTES must be name=value[^]*OTEL_TRACES_SAMPLER must be one of[^]*OTEL_TRACES_SAMPLER_ARG must be 0 to 1/,
    );
  });
});
