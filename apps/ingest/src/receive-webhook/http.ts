import { createHash, timingSafeEqual } from 'node:crypto';
import { isPlatformError, PlatformError } from '@centralita/contracts';
import { asPlatformError, httpAnswers, underRequestSpan, type Logger, type Metrics } from '@centralita/platform-nest';
import { verifySignature } from '@centralita/whatsapp';
import { Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Counter, Histogram } from 'prom-client';
import { z } from 'zod';
import { MetaApps, secretsAt, type MetaApp } from '../apps.js';
import type { Receiver, Recorded } from './receiver.js';

export type WebhookMetrics = {
  readonly ackSeconds: Histogram<'status'>;
  readonly signatureFailures: Counter<'app'>;
  readonly verified: Counter<'app' | 'secret'>;
  readonly events: Counter<'type' | 'outcome'>;
};

/** Metrics of the edge; labels are closed lists and names of apps from the configuration. */
export const webhookMetrics = (metrics: Metrics): WebhookMetrics => ({
  ackSeconds: metrics.histogram('webhook_ack_seconds'),
  signatureFailures: metrics.counter('webhook_signature_failures_total'),
  verified: metrics.counter('webhook_verified_total'),
  events: metrics.counter('ingest_events_total'),
});

/**
 * Counts what became of a delivery, and raises the alert: somebody has to look at what nobody understood. One line a delivery, of ids and
 * reasons only.
 */
export const countDelivery = ({ events }: WebhookMetrics, logger: Logger, delivery: Recorded): void => {
  const unknown: Record<string, number> = {};
  const counts = new Map<string, { readonly type: string; readonly reason: string | null; count: number }>();
  for (const { type, reason } of delivery.events) {
    const kind = `${type} ${reason ?? ''}`;
    const known = counts.get(kind);
    if (known) known.count += 1;
    else counts.set(kind, { type, reason, count: 1 });
  }
  for (const { type, reason, count } of counts.values()) {
    events.inc({ type, outcome: reason ?? 'recorded' }, count);
    if (reason !== null) unknown[reason] = (unknown[reason] ?? 0) + count;
  }
  if (Object.keys(unknown).length > 0) logger.warn({ app: delivery.app, unknown }, 'items were recorded as unknown');
  if (delivery.suppressed === 0) return;
  events.inc({ type: 'whatsapp.status.changed.v1', outcome: 'suppressed' }, delivery.suppressed);
  logger.info({ app: delivery.app, suppressed: delivery.suppressed }, 'statuses of messages to the erased were not recorded');
};

export const WEBHOOK = Symbol('ingest:webhook');
export type WebhookParts = {
  readonly apps: MetaApps;
  readonly receiver: Receiver;
  readonly metrics: WebhookMetrics;
  readonly logger: Logger;
  readonly clock: () => Date;
  /** Milliseconds after which a delivery is answered 503. */
  readonly budgetMs: number;
  /** Bytes of signed deliveries that may be under way; beyond, 503 at once. */
  readonly maxBytesUnderWay: number;
};

const Handshake = z.object({
  'hub.mode': z.literal('subscribe'),
  'hub.challenge': z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
  'hub.verify_token': z.string(),
});

/** The only door that Meta knocks at. The URL names the app; nothing else in a delivery decides whose it is. */
@Controller('webhooks')
export class WebhookController {
  #lastRefusalLogged = 0;
  #bytesUnderWay = 0;

  constructor(@Inject(WEBHOOK) private readonly parts: WebhookParts) {}

  /** Meta asks once per edit of the callback URL; the answer is the bare challenge. */
  @Get(':app')
  handshake(@Param('app') name: string, @Query() query: unknown, @Res() reply: FastifyReply): void {
    const app = this.#app(name);
    const asked = Handshake.safeParse(query);
    if (!asked.success) throw new PlatformError('VALIDATION_FAILED', 'not a handshake');
    if (!sameText(asked.data['hub.verify_token'], app.verifyToken))
      throw new PlatformError('FORBIDDEN', 'the verify token does not match');
    void reply.type('text/plain').send(asked.data['hub.challenge']);
  }

  @Post(':app')
  @HttpCode(200)
  async receive(@Param('app') name: string, @Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const stop = this.parts.metrics.ackSeconds.startTimer();
    try {
      await underRequestSpan(request, () => this.#receive(this.#app(name), request));
      stop({ status: '200' });
      void reply.send();
    } catch (error) {
      stop({ status: String(httpAnswers[asPlatformError(error).code].status) });
      throw error;
    }
  }

  async #receive(app: MetaApp, request: FastifyRequest): Promise<void> {
    const { metrics, budgetMs, logger, clock } = this.parts;
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const secret = verifySignature(body, request.headers['x-hub-signature-256'], secretsAt(app, clock()));
    if (!secret) {
      metrics.signatureFailures.inc({ app: app.app });
      this.#logRefusal(app, body);
      throw new PlatformError('SIGNATURE_INVALID', 'the signature does not match the bytes');
    }
    metrics.verified.inc({ app: app.app, secret });
    try {
      await within(budgetMs, this.#record(app, body));
    } catch (error) {
      // Whatever went wrong, nothing is lost as long as the answer is not 200: the provider delivers again, for seven days.
      if (isPlatformError(error) && httpAnswers[error.code].status === 503) throw error;
      logger.error({ err: error, app: app.app, bytes: body.length }, 'a delivery could not be recorded');
      throw new PlatformError('LOG_UNAVAILABLE', 'the delivery is not recorded', {}, { cause: error });
    }
  }

  /** What goes on after its 503 still counts: a slow log must not gather deliveries without end. */
  async #record(app: MetaApp, body: Buffer): Promise<void> {
    const { receiver, maxBytesUnderWay } = this.parts;
    if (this.#bytesUnderWay + body.length > maxBytesUnderWay)
      throw new PlatformError('LOG_OVERLOADED', 'too many deliveries are under way');
    this.#bytesUnderWay += body.length;
    try {
      await receiver.receive(app, body);
    } finally {
      this.#bytesUnderWay -= body.length;
    }
  }

  #app(name: string): MetaApp {
    const app = this.parts.apps.byName(name);
    if (!app) throw new PlatformError('NOT_FOUND', 'no such app');
    return app;
  }

  /** At most one line a second: an attacker must not fill the log. The body is never kept. */
  #logRefusal(app: MetaApp, body: Buffer): void {
    const now = performance.now();
    if (now - this.#lastRefusalLogged < 1000) return;
    this.#lastRefusalLogged = now;
    const digest = createHash('sha256').update(body).digest('hex').slice(0, 16);
    this.parts.logger.warn({ app: app.app, bytes: body.length, digest }, 'a delivery was not signed by the app');
  }
}

/** Compares in constant time, whatever the lengths. */
const sameText = (a: string, b: string): boolean => {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
};

const within = async <T>(milliseconds: number, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PlatformError('LOG_UNAVAILABLE', 'the delivery was not recorded in time')), milliseconds);
  });
  // What is late may still reach the log; its redelivery has the same ids.
  work.catch(() => undefined);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};
