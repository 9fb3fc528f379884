import type { ClientOptions } from './driver/options.js';
import type { EventLog, LogLogger, LogMetrics } from './port.js';

/** Clients behind the port: both keep the same promises, and the same conformance suite holds them to it. */
export const LogDrivers = ['kafkajs', 'platformatic'] as const;
export type LogDriver = (typeof LogDrivers)[number];

export type EventLogOptions = Omit<ClientOptions, 'logger'> & {
  /** Client behind the port. @default 'kafkajs' */
  readonly driver?: LogDriver;
  /** @default silent */
  readonly logger?: LogLogger;
  readonly metrics?: LogMetrics;
  /** Compression of produced batches. @default 'none' */
  readonly compression?: 'none' | 'gzip';
};

const silent: LogLogger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** Loaded when chosen: a client costs its process memory, and up to half a second of processor time at the start. */
const drivers = {
  kafkajs: async () => (await import('./kafkajs/log.js')).openKafkajsLog,
  platformatic: async () => (await import('./platformatic/log.js')).openPlatformaticLog,
} as const;

/** Opens the log; the first call that needs a broker connects. Throws CONFIGURATION_INVALID when the client is not the known one. */
export const openEventLog = async ({ driver = 'kafkajs', ...options }: EventLogOptions): Promise<EventLog> => {
  const open = await drivers[driver]();
  return open({
    ...options,
    logger: options.logger ?? silent,
    metrics: options.metrics ?? {},
    compression: options.compression ?? 'none',
  });
};
