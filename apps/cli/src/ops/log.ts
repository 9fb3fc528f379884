import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { CONTENT_TYPE, encodeEvent, schemaUri, type EventData, type EventType } from '@centralita/contracts';
import { openEventLog, type EventLog, type LogRecord } from '@centralita/event-log';
import { PLATFORM_TENANT } from '@centralita/event-store';
import { kafkaConnection, loadConfig } from '@centralita/platform-nest';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import type { Io } from '../io.js';

/** Key and stream of what the operators' command writes itself; the services have lanes of their own. */
const LANE = uuidv5('cli:lane:0', PLATFORM_TENANT);

export type OperatedLog = {
  readonly log: EventLog;
  /** Name at the brokers: by it the log says who worked on it. */
  readonly principal: string;
};

/** Settings of a command, and of Kafka, by the same names as the services have them. Throws CONFIGURATION_INVALID with all that is wrong. */
export const readSettings = <Schema extends z.ZodType>(io: Io, schema: Schema): z.output<Schema> => {
  const [settings] = loadConfig({ ...io.env }, schema);
  return settings;
};

/** Opens the log of KAFKA_*, lets `work` use it and closes it. */
export const withLog = async <T>(io: Io, name: string, work: (operated: OperatedLog) => Promise<T>): Promise<T> => {
  const connection = readSettings(io, kafkaConnection);
  const log = await openEventLog({ ...connection, clientId: `centralita-ops-${name}` });
  try {
    return await work({ log, principal: principalOf(connection.sasl, io.env['KAFKA_TLS_CERT_FILE']) });
  } finally {
    await log.close();
  }
};

const principalOf = (sasl: object | undefined, certificate: string | undefined): string => {
  if (sasl && 'username' in sasl && typeof sasl.username === 'string') return sasl.username.slice(0, 120);
  if (sasl) return 'token';
  if (!certificate) return 'unauthenticated';
  return new X509Certificate(readFileSync(certificate)).subject.replaceAll('\n', ',').slice(0, 120);
};

/** An operation as it stands on the log. Produced directly, as this command has no database: without a key_version. */
export const operationRecord = <Type extends EventType>(type: Type, data: EventData<Type>, now: Date): LogRecord => {
  const id = uuidv7();
  const at = now.toISOString();
  const value = encodeEvent({
    specversion: '1.0',
    id,
    source: '/centralita/cli',
    type,
    time: at,
    subject: LANE,
    datacontenttype: 'application/json',
    dataschema: schemaUri(type),
    tenantid: PLATFORM_TENANT,
    recordedtime: at,
    correlationid: id,
    causationid: null,
    data,
  });
  return { topic: 'operations.events.v1', key: LANE, value, headers: { 'content-type': CONTENT_TYPE } };
};
