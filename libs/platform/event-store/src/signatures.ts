import type { Service, Topic } from '@centralita/contracts';
import type { BatchMiddleware, EventLog, SubscribeOptions } from '@centralita/event-log';
import type { DataSource } from 'typeorm';
import type { Appended, DomainLease, FeedPage, NewEvent, RecordedEvent, StoreLogger, SystemTx, Tx } from './types.js';

export declare const createDataSource: (o: {
  url: string;
  poolSize?: number;
  migrations?: Function[];
  statementTimeoutMs?: number;
  applicationName?: string;
}) => DataSource;
export declare class Database {
  constructor(dataSource: DataSource);
  withTenant<T>(tenantId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  system<T>(work: (tx: SystemTx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
export declare class EventStore {
  constructor(o: { service: Service; clock?: () => Date; newId?: () => string });
  append(tx: Tx, topic: Topic, events: readonly NewEvent[], domain?: DomainLease): Promise<Appended[]>;
  load(tx: Tx, streamId: string, fromVersion?: number): Promise<RecordedEvent[]>;
  readDomain(tx: Tx, domainId: string, fromSeq: bigint, limit: number): Promise<RecordedEvent[]>;
  /** Takes or renews the lease of a domain; null while another holder has it. A new holder gets a new epoch. */
  leaseDomain(tx: Tx, domainId: string, holder: string, ttlMs: number): Promise<(DomainLease & { lastSeq: bigint }) | null>;
}
export declare const eventStoreMigration: Function;
export declare const tenantTable: (name: string) => string[];
export type RelayMetrics = {
  published?(sample: { records: number; seconds: number }): void;
  alarm?(sample: { code: string; topic?: string }): void;
};
export declare class Relay {
  constructor(o: {
    url: string;
    log: EventLog;
    service: Service;
    topics: readonly Topic[];
    database?: Database;
    logger?: StoreLogger;
    metrics?: RelayMetrics;
  });
  start(): void;
  wake(): void;
  stop(): Promise<void>;
  oldestUnpublishedAge(): Promise<number>;
}
export declare const inboxMiddleware: (o: {
  db: Database;
  groupId: string;
  store: EventStore;
  log: EventLog;
  service: Service;
  logger?: StoreLogger;
}) => BatchMiddleware;
export declare const startAt: (db: Database, groupId: string) => SubscribeOptions['startAt'];
export declare class Commands {
  constructor(db: Database);
  run<T>(o: {
    tenantId: string;
    commandId: string;
    digest: unknown;
    work: (tx: Tx) => Promise<T>;
    clientVersion?: boolean;
  }): Promise<{ result: T; replayed: boolean }>;
}
export declare const causalToken: {
  encode(topic: string, key: string, keyVersion: bigint): string;
  waitFor(db: Database, groupId: string, tenantId: string, token: string, timeoutMs?: number): Promise<void>;
};
export declare const feed: (tx: Tx, topic: Topic, cursor: string | null, limit: number) => Promise<FeedPage>;
