import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance } from 'fastify';
import { join } from 'node:path';
import { controlRoutes } from './control.js';
import { graphRoutes } from './graph.js';
import { Journal } from './journal.js';
import { PriceList } from './pricing.js';
import { Random } from './random.js';
import { StatusReporter } from './statuses.js';
import { WebhookSender } from './webhooks.js';
import { World, type App } from './world.js';

export type SimulatorOptions = {
  readonly apps: readonly App[];
  /** Where an app's webhooks go; the app's name is appended. */
  readonly webhookUrl: string;
  readonly seed: number;
  /** Free service messages of a number and month. The provider gives 1,000; a short day uses fewer, so that both sides of the limit occur. */
  readonly freeTier: number;
  readonly duplicatePercent: number;
  /** How often every webhook comes again after its answer, overtaken by later ones. @default 0 */
  readonly redeliveries?: number;
  /** Longest pause before it does. The default is longer than a customer needs for the next message. @default 5000 */
  readonly redeliveredWithinMs?: number;
};

/** Customers' phones and the provider's Graph API, without a port. */
export const createSimulator = (options: SimulatorOptions): FastifyInstance => {
  const server = Fastify({ bodyLimit: 16 * 1024 * 1024, forceCloseConnections: true });
  const random = new Random(options.seed, 'simulator');
  const world = new World(options.apps);
  const journal = new Journal();
  const webhooks = new WebhookSender(options.webhookUrl, journal, {
    times: options.redeliveries ?? 0,
    withinMs: options.redeliveredWithinMs ?? 5_000,
    random: random.fork('redeliveries'),
  });
  const statuses = new StatusReporter(
    journal,
    webhooks,
    new PriceList(options.freeTier),
    random.fork('statuses'),
    options.duplicatePercent,
  );
  graphRoutes(server, world, journal, statuses);
  controlRoutes(server, world, journal, webhooks, statuses, random.fork('items'));
  void server.register(fastifyStatic, { root: join(import.meta.dirname, 'page') });
  return server;
};
