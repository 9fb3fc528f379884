import { measured } from './measured.js';

export type Load = {
  /** Inbound messages a second in the busiest minutes. */
  readonly messagesPerSecond: number;
  /** Mean load of a month over the peak, 0 to 1. */
  readonly meanShare: number;
  /** Share of a core that a process may use at the peak, 0 to 1: the rest is for bursts and for the pods that are being replaced. */
  readonly utilisation: number;
  readonly replicationFactor: number;
  /** For how many months disks are planned. */
  readonly months: number;
};

export const defaultLoad: Omit<Load, 'messagesPerSecond'> = {
  meanShare: 0.25,
  utilisation: 0.6,
  replicationFactor: 3,
  months: 12,
};

export type Role = keyof typeof measured.processes;
export const roles = Object.keys(measured.processes) as Role[];

/** Fewest pods that survive the loss of one: what the chart's values say, and a spec compares. */
export const fewest: Record<Role, number> = { webhook: 3, sender: 2, conversation: 3, routing: 2, billing: 2, 'audit-log': 2 };
/** Roles whose pods share the partitions of a topic. */
const consumers: readonly Role[] = ['sender', 'conversation', 'routing', 'billing', 'audit-log'];
/** Sets of partitions that the chart knows; chosen once, at installation. */
const partitionProfiles = [12, 48, 192] as const;

const SECONDS_A_MONTH = 30 * 86_400;
/** Lag at which one more pod is worth a rebalance: what a pod applies in so many seconds. */
const LAG_SECONDS = 5;
/** Connections of one process: pool, relay and listener, and those to the keyring. */
const CONNECTIONS = 10 + 2 + 5;

export type RolePlan = {
  readonly role: Role;
  readonly cores: number;
  readonly pods: number;
  readonly lagThreshold: number | null;
};
export type Plan = {
  readonly load: Load;
  readonly roles: readonly RolePlan[];
  /** Null when no profile is enough: then tenants are spread over several installations. */
  readonly partitions: number | null;
  readonly kafka: { readonly cores: number; readonly megabytesPerSecond: number; readonly diskGigabytes: number };
  readonly postgres: { readonly cores: number; readonly connections: number; readonly diskGigabytes: number };
  readonly monthly: {
    readonly messages: number;
    readonly records: number;
    readonly logGigabytes: number;
    readonly databaseGigabytes: number;
  };
  /** Hours that one process of billing takes to fold the records of all planned months again. */
  readonly rebuildHours: number;
};

const coresOf = (microseconds: number, load: Load): number => (load.messagesPerSecond * microseconds) / 1e6 / load.utilisation;

const planRole = (role: Role, load: Load): RolePlan => {
  const microseconds = measured.processes[role];
  const cores = coresOf(microseconds, load);
  return {
    role,
    cores,
    // A process of Node uses little more than one core.
    pods: Math.max(fewest[role], Math.ceil(cores)),
    lagThreshold: consumers.includes(role) ? Math.round((LAG_SECONDS * load.utilisation * 1e6) / microseconds) : null,
  };
};

/** Linear in the load: what a message costs was measured on a whole path and does not depend on how many processes share the work. */
export const plan = (load: Load): Plan => {
  const planned = roles.map((role) => planRole(role, load));
  const most = Math.max(...planned.filter(({ role }) => consumers.includes(role)).map(({ pods }) => pods));
  const messages = load.messagesPerSecond * load.meanShare * SECONDS_A_MONTH;
  const gigabytes = (bytes: number): number => (messages * bytes) / 1e9;
  const records = messages * measured.records;
  return {
    load,
    roles: planned,
    // Twice as many as pods: room to grow, since a key never changes its partition.
    partitions: partitionProfiles.find((partitions) => partitions >= 2 * most) ?? null,
    kafka: {
      cores: coresOf(measured.kafka, load),
      megabytesPerSecond: (load.messagesPerSecond * measured.logBytes) / 1e6,
      diskGigabytes: gigabytes(measured.logBytes) * load.replicationFactor * load.months,
    },
    postgres: {
      cores: coresOf(measured.postgres, load),
      connections: planned.reduce((sum, { pods }) => sum + pods * CONNECTIONS, 0),
      diskGigabytes: gigabytes(measured.databaseBytes) * load.months,
    },
    monthly: {
      messages,
      records,
      logGigabytes: gigabytes(measured.logBytes),
      databaseGigabytes: gigabytes(measured.databaseBytes),
    },
    rebuildHours: (records * load.months) / measured.replayPerSecond / 3_600,
  };
};

/** Inbound messages a second at which all of `cores` are busy when processes, engines and load share them; what the bench P2 measures. */
export const busyAt = (cores: number): number => {
  const processes = Object.values(measured.processes).reduce((sum, microseconds) => sum + microseconds, 0);
  return (cores * 1e6) / (processes + measured.postgres + measured.kafka + measured.wholePath.loadMicroseconds);
};
