import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { createTestDatabase, until, type TestDatabase } from '@centralita/testing-engines';
import { z } from 'zod';
import { fixtureMigrations, FixtureModule } from '../testing/fixture.spec.js';
import { startTestService, type TestActor, type TestService } from '../testing/index.js';
import { startTracing } from './tracing.js';

describe('tracing', () => {
  let database: TestDatabase;
  let sut: TestService<unknown>;
  const exporter = new InMemorySpanExporter();
  const tracing = startTracing({ service: 'conversation', processors: [new SimpleSpanProcessor({ exporter })] });
  const agent: TestActor = { tenantId: randomUUID(), roles: ['agent'] };

  beforeAll(async () => {
    database = await createTestDatabase({ service: 'nest' });
    sut = await startTestService({
      service: 'conversation',
      schema: z.object({}),
      migrations: fixtureMigrations,
      module: () => FixtureModule,
      customerData: false,
      database,
    });
  });
  afterAll(async () => {
    await sut.close();
    await tracing.shutdown();
    await database.drop();
  });

  it('goes on with the caller’s trace, names routes and not ids, and tells it in problems', async () => {
    const traceId = 'ab'.repeat(16);
    const headers = { traceparent: `00-${traceId}-${'cd'.repeat(8)}-01` };
    const id = randomUUID();
    const answer = await sut.call(agent, 'GET', `/v1/notes/${id}`, { headers });
    expect(answer.body).toMatchObject({ code: 'NOT_FOUND', traceId });
    const span = await until(() => exporter.getFinishedSpans().find((one) => one.name === 'GET /v1/notes/:id'));
    expect([span.spanContext().traceId, span.parentSpanContext?.spanId]).toEqual([traceId, 'cd'.repeat(8)]);
    expect(span.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/v1/notes/:id',
      'http.response.status_code': 404,
    });
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes]))).not.toContain(id);
  });
});
