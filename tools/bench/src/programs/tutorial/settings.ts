import type { INestApplication } from '@nestjs/common';
import { Transport, type KafkaOptions } from '@nestjs/microservices';
import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { logLevel } from 'kafkajs';
import { entities } from './entities.js';

export const { KAFKA_BROKERS = '', DATABASE_URL = '', SECRET = '', GRAPH_URL = '', HTTP_PORT = '0' } = process.env;

export const topics = { messages: 'tutorial.messages', statuses: 'tutorial.statuses', saved: 'tutorial.saved' } as const;

/** What the topics carry. */
export type InboundMessage = {
  readonly wamid: string;
  readonly phone: string;
  readonly phoneNumberId: string;
  readonly name: string;
  readonly body: string;
  readonly timestamp: string;
};
export type InboundStatus = {
  readonly wamid: string;
  readonly status: string;
  readonly timestamp: string;
  readonly pricing?: { readonly billable: boolean; readonly category: string };
};
export type SavedMessage = { readonly conversationId: string; readonly agentId: string; readonly count: number };

export const instant = (seconds: string): Date => new Date(Number(seconds) * 1_000);

export const kafka = (clientId: string): KafkaOptions => ({
  transport: Transport.KAFKA,
  options: {
    client: { clientId, brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR },
    consumer: { groupId: clientId },
    subscribe: { fromBeginning: true },
  },
});

export const database: TypeOrmModuleOptions = { type: 'postgres', url: DATABASE_URL, entities, synchronize: false };

/** The bench waits for this line. */
export const started = async (app: Pick<INestApplication, 'close'>): Promise<void> => {
  process.once('SIGTERM', () => void app.close().finally(() => process.exit(0)));
  process.stdout.write('started\n');
};
