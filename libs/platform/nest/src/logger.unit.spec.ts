import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@centralita/contracts';
import { context as otel, trace } from '@opentelemetry/api';
import { runInContext } from './context.js';
import { createLogger, NestLogger, type Logger } from './logger.js';
import { startTracing } from './runtime/tracing.js';

const canary = '+34600111222';
const capture = (): { logger: Logger; lines: () => string } => {
  const written: string[] = [];
  const logger = createLogger({
    service: 'conversation',
    level: 'trace',
    destination: { write: (line) => void written.push(line) },
  });
  return { logger, lines: () => written.join('') };
};

describe('createLogger', () => {
  it('writes ids with fixed names', () => {
    const { logger, lines } = capture();
    const context = { requestId: 'r1', tenantId: 't1', actor: null, address: canary, userAgent: null };
    const span = trace.wrapSpanContext({ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), traceFlags: 1 });
    startTracing({ service: 'test', processors: [] });
    otel.with(trace.setSpan(otel.active(), span), () => runInContext(context, () => logger.info({ event_id: 'e1' }, 'appended')));
    const line = JSON.parse(lines()) as Record<string, unknown>;
    expect(line).toMatchObject({
      level: 'info',
      svc: 'conversation',
      tenant: 't1',
      request_id: 'r1',
      trace_id: 'ab'.repeat(16),
      event_id: 'e1',
    });
    expect(lines()).not.toContain(canary);
  });

  it('cuts out customer data and secrets at every depth at which it may slip in', () => {
    const { logger, lines } = capture();
    for (const field of [
      'data',
      'body',
      'text',
      'phone',
      'bsuid',
      'displayName',
      'authorization',
      'cookie',
      'payload',
      'wamid',
      'sealed',
      'password',
    ]) {
      logger.info({ [field]: canary });
      logger.warn({ event: { [field]: canary } });
      logger.error({ request: { inner: { [field]: canary } } });
      logger.child({ a: { b: { c: { [field]: canary } } } }).info('child');
      logger.info({ list: [{ [field]: canary }] });
    }
    expect(lines()).not.toContain(canary);
    expect(lines().split('\n')).toHaveLength(12 * 5 + 1);
  });

  it('logs of a foreign error its type and frames, never its text or its properties', () => {
    const { logger, lines } = capture();
    const driver = Object.assign(new Error(`duplicate key (phone)=(${canary})`), {
      parameters: [canary],
      detail: canary,
      code: '23505',
    });
    logger.error({ err: driver }, 'failed');
    logger.error({ err: new PlatformError('DATABASE_UNAVAILABLE', 'no connection', { pool: 1 }, { cause: driver }) }, 'failed');
    new NestLogger(logger).error(driver, driver.stack, 'ExceptionsHandler');
    expect(lines()).not.toContain(canary);
    expect(lines()).toContain('23505');
    expect(lines()).toContain('logger.unit.spec');
    expect(lines()).toContain('DATABASE_UNAVAILABLE');
  });
});
