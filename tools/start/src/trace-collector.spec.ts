import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const Attributes = z
  .array(
    z.object({
      key: z.string(),
      value: z.object({ stringValue: z.string().optional(), intValue: z.union([z.number(), z.string()]).optional() }),
    }),
  )
  .default([]);
const Export = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().optional(),
              name: z.string(),
              links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
              attributes: Attributes,
              status: z.object({ message: z.string().optional() }).optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});

type Exported = z.infer<typeof Export>['resourceSpans'][number]['scopeSpans'][number]['spans'][number];
/** A span with the service that made it. */
export type CollectedSpan = Omit<Exported, 'attributes'> & {
  readonly service: string;
  readonly attributes: Readonly<Record<string, string>>;
};

const read = (attributes: z.infer<typeof Attributes>): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, String(value.stringValue ?? value.intValue ?? '')]));

/** An OTLP/HTTP collector, as small as one can be: keeps the spans that processes send as JSON to `/v1/traces`. */
export const startCollector = async (): Promise<{ endpoint: string; spans: CollectedSpan[]; stop(): Promise<void> }> => {
  const spans: CollectedSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Export.safeParse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      if (request.url !== '/v1/traces' || !body.success) return void response.writeHead(400).end();
      for (const { resource, scopeSpans } of body.data.resourceSpans) {
        const service = read(resource.attributes)['service.name'] ?? '';
        for (const span of scopeSpans.flatMap((scope) => scope.spans))
          spans.push({ ...span, service, attributes: read(span.attributes) });
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
