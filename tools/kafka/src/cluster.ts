import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { boundToParent, startChild, stopChild } from './child.js';
import type { Child } from './child.js';
import { resolveJars } from './jars.js';
import { freePorts, portIsFree } from './ports.js';
import { serverProperties } from './settings.js';
import type { ClusterSettings, NodeSettings } from './settings.js';

export type KafkaOptions = {
  /** Holds the cluster's data; a second start with the same folder finds its records again. */
  dataDir: string;
  nodes?: 1 | 3;
  /** Broker ports, one a node. Without them the ports of the last start, if they are free, else free ones. */
  ports?: readonly number[];
  /** Java heap of each node. */
  heapMb?: number;
  /** Default 9 s for one node, 3 s for three (fault tests wait for it). */
  brokerSessionTimeoutMs?: number;
  readyTimeoutMs?: number;
  /** See `ClusterSettings`. @default loopback alone */
  network?: ClusterSettings['network'];
  /** Settings of server.properties on top of those of a test. */
  settings?: Readonly<Record<string, string>>;
  /** Aborted: no node is started any more, and fetching the jars is given up. */
  signal?: AbortSignal;
  onLog?: (line: string) => void;
};

export type KafkaNode = {
  readonly id: number;
  readonly broker: string;
  pid(): number;
  running(): boolean;
  /** Sends a signal (SIGKILL, SIGSTOP, SIGCONT…) and returns at once. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the node's present process is gone. */
  exited(): Promise<unknown>;
  /** Starts the node again after it died; resolves when the whole cluster is ready. */
  restart(): Promise<void>;
};

export type RunningKafka = {
  /** `host:port` of every broker, as KAFKA_BROKERS wants it (joined by commas). */
  readonly brokers: string[];
  readonly nodes: readonly KafkaNode[];
  readonly pids: number[];
  /** Rejects never; resolves when a node ends that nobody asked to end, with its last lines. */
  readonly died: Promise<{ id: number; lastLines: readonly string[] }>;
  stop(): Promise<void>;
};

type Saved = { clusterId: string; directoryIds: string[]; ports: { broker: number; controller: number }[] };

// A Kafka uuid: 16 random bytes in base64url, never starting with a dash (the command line would take it for an option).
const kafkaUuid = (): string => {
  for (;;) {
    const text = randomBytes(16).toString('base64url');
    if (!text.startsWith('-')) return text;
  }
};

const choosePorts = async (options: KafkaOptions, saved: Saved['ports'] | undefined, count: number): Promise<Saved['ports']> => {
  if (options.ports !== undefined) {
    for (const port of options.ports) if (!(await portIsFree(port))) throw new Error(`Kafka cannot start: port ${port} is taken`);
    const before = saved?.map((node) => node.controller) ?? [];
    const reuse = before.length === count && (count > 1 || (await portIsFree(before[0] as number)));
    const controllers = reuse ? before : await freePorts(count);
    return options.ports.map((broker, index) => ({ broker, controller: controllers[index] as number }));
  }
  const wanted = saved?.flatMap((node) => [node.broker, node.controller]) ?? [];
  const free = await Promise.all(wanted.map(portIsFree));
  if (saved !== undefined && free.every(Boolean)) return saved;
  // Three nodes have written each other's controller addresses into their quorum: they cannot move. One node can.
  if (saved !== undefined && count > 1) {
    throw new Error(
      `Kafka cannot start: port ${wanted.filter((_, index) => !free[index]).join(', ')} is taken and its cluster's data is bound to it`,
    );
  }
  const ports = await freePorts(count * 2);
  return Array.from({ length: count }, (_, index) => ({
    broker: ports[index * 2] as number,
    controller: ports[index * 2 + 1] as number,
  }));
};

const ready = async (brokers: readonly string[], timeoutMs: number, failed: () => Error | null): Promise<void> => {
  const admin = new Kafka({
    clientId: 'centralita-start',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
    connectionTimeout: 2_000,
  }).admin();
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  try {
    for (;;) {
      const failure = failed();
      if (failure !== null) throw failure;
      try {
        await admin.connect();
        const cluster = await admin.describeCluster();
        if (cluster.brokers.length === brokers.length && cluster.controller !== null) {
          // The first look for a group's coordinator creates the topic of groups; until it has leaders kafkajs' consumers crash.
          await admin.describeGroups(['centralita-ready']);
          return;
        }
      } catch (error) {
        last = error;
      }
      if (Date.now() > deadline) throw new Error(`Kafka was not ready within ${timeoutMs / 1000} s`, { cause: last });
      await pause(100);
    }
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
};

/** Starts one or three combined KRaft nodes on loopback and resolves when all brokers answer. */
export const startKafka = async (options: KafkaOptions): Promise<RunningKafka> => {
  const { dataDir, nodes: count = 1, heapMb = 384, readyTimeoutMs = 90_000, onLog = () => undefined } = options;
  const jars = await resolveJars(onLog, options.signal);
  options.signal?.throwIfAborted();
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, 'cluster.json');
  const saved = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Saved) : undefined;
  if (saved !== undefined && saved.ports.length !== count)
    throw new Error(`${dataDir} holds a cluster of ${saved.ports.length} nodes, not ${count}`);
  const ports = await choosePorts(options, saved?.ports, count);
  const identity: Saved = {
    clusterId: saved?.clusterId ?? kafkaUuid(),
    directoryIds: saved?.directoryIds ?? ports.map(kafkaUuid),
    ports,
  };
  await writeFile(file, JSON.stringify(identity));

  const cluster: ClusterSettings = {
    brokerSessionTimeoutMs: options.brokerSessionTimeoutMs ?? (count === 1 ? 9_000 : 3_000),
    ...(options.network && { network: options.network }),
    ...(options.settings && { settings: options.settings }),
    nodes: ports.map((port, index) => ({
      id: index + 1,
      brokerPort: port.broker,
      controllerPort: port.controller,
      directory: join(dataDir, `node-${index + 1}`),
    })),
  };
  // TieredStopAtLevel=1 halves the start and caps the compiler; a benchmark starts its own brokers without it. The network client and
  // the raft driver warn at every start and stop about peers that are starting and stopping too.
  const java = [
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
    '-Dorg.slf4j.simpleLogger.log.org.apache.kafka.clients.NetworkClient=error',
    '-Dorg.slf4j.simpleLogger.log.org.apache.kafka.controller.QuorumController=error',
    '-cp',
    join(jars, '*'),
  ];
  const properties = (node: NodeSettings): string => join(node.directory, 'server.properties');

  const format = async (node: NodeSettings): Promise<void> => {
    await mkdir(node.directory, { recursive: true });
    await writeFile(properties(node), serverProperties(cluster, node));
    if (existsSync(join(node.directory, 'log', 'meta.properties'))) return;
    const quorum =
      count === 1
        ? ['--standalone']
        : [
            '--initial-controllers',
            cluster.nodes
              .map((one, index) => `${one.id}@127.0.0.1:${one.controllerPort}:${identity.directoryIds[index]}`)
              .join(','),
          ];
    const tool = await startChild('java', [
      '-Xmx64m',
      ...java,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      identity.clusterId,
      '-c',
      properties(node),
      ...quorum,
    ]);
    if ((await tool.exited).code !== 0)
      throw new Error(`Kafka storage of node ${node.id} could not be formatted:\n${tool.lastLines().join('\n')}`);
  };
  await Promise.all(cluster.nodes.map(format));
  options.signal?.throwIfAborted();

  let stopping = false;
  let reportDeath: (death: { id: number; lastLines: readonly string[] }) => void;
  const died = new Promise<{ id: number; lastLines: readonly string[] }>((resolve) => (reportDeath = resolve));
  const children = new Map<number, Child>();
  const expected = new Set<Child>();
  const run = async (node: NodeSettings): Promise<void> => {
    const [command, args] = boundToParent('java', [`-Xmx${heapMb}m`, ...java, 'kafka.Kafka', properties(node)]);
    const child = await startChild(command, args, { onLine: (line) => onLog(count === 1 ? line : `node ${node.id}: ${line}`) });
    children.set(node.id, child);
    void child.exited.then(() => {
      if (!stopping && !expected.has(child)) reportDeath({ id: node.id, lastLines: child.lastLines() });
    });
  };
  const brokers = cluster.nodes.map((node) => `127.0.0.1:${node.brokerPort}`);
  const failed = (): Error | null => {
    for (const [id, child] of children) {
      if (child.exit() !== null) return new Error(`Kafka node ${id} ended while starting:\n${child.lastLines().join('\n')}`);
    }
    return null;
  };
  const stop = async (): Promise<void> => {
    stopping = true;
    await Promise.all([...children.values()].map((child) => stopChild(child)));
  };

  try {
    await Promise.all(cluster.nodes.map(run));
    await ready(brokers, readyTimeoutMs, failed);
  } catch (error) {
    await stop();
    throw error;
  }
  const current = (id: number): Child => children.get(id) as Child;
  return {
    brokers,
    died,
    get pids() {
      return [...children.values()].map((child) => child.pid);
    },
    nodes: cluster.nodes.map((node) => ({
      id: node.id,
      broker: `127.0.0.1:${node.brokerPort}`,
      pid: () => current(node.id).pid,
      running: () => current(node.id).exit() === null,
      exited: () => current(node.id).exited,
      signal: (signal) => {
        expected.add(current(node.id));
        current(node.id).process.kill(signal);
      },
      restart: async () => {
        await current(node.id).exited;
        await run(node);
        await ready(brokers, readyTimeoutMs, failed);
      },
    })),
    stop,
  };
};
