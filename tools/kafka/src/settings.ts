/** One combined broker and controller. Ports are on 127.0.0.1. */
export type NodeSettings = { id: number; brokerPort: number; controllerPort: number; directory: string };

export type ClusterSettings = {
  nodes: readonly NodeSettings[];
  /** How long the controller waits for a silent broker. A broker killed with -9 cannot register again before this has passed. */
  brokerSessionTimeoutMs: number;
  /** One node alone: a listener for clients in a network of its own, and the address by which they know it (`host:port` both). */
  network?: { listen: string; advertised: string };
  /** On top of those below, in place of those with the same name. */
  settings?: Readonly<Record<string, string>>;
};

/** The server.properties of one node, as Kafka 4.4 in KRaft mode wants them for development and tests on loopback. */
export const serverProperties = (cluster: ClusterSettings, node: NodeSettings): string => {
  const { network } = cluster;
  const size = cluster.nodes.length;
  const replicas = Math.min(3, size);
  const inSync = size >= 3 ? 2 : 1;
  const listeners = `PLAINTEXT://127.0.0.1:${node.brokerPort},CONTROLLER://127.0.0.1:${node.controllerPort}`;
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,NETWORK:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    listeners: network ? `${listeners},NETWORK://${network.listen}` : listeners,
    // The controller's too: without it a combined node does not find its own quorum.
    'advertised.listeners': network ? `${listeners},NETWORK://${network.advertised}` : listeners,
    'controller.quorum.bootstrap.servers': cluster.nodes.map((one) => `127.0.0.1:${one.controllerPort}`).join(','),
    'log.dirs': `${node.directory}/log`,
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    // Fifty partitions, the default, cost the first consumer group half a second and fifty folders.
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': 2,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': 2,
    'group.initial.rebalance.delay.ms': 0,
    // Fault tests use sessions far shorter than the six seconds that a broker allows by default.
    'group.min.session.timeout.ms': 1_000,
    'broker.session.timeout.ms': cluster.brokerSessionTimeoutMs,
    'broker.heartbeat.interval.ms': Math.max(250, Math.floor(cluster.brokerSessionTimeoutMs / 6)),
    'log.cleaner.dedupe.buffer.size': 16 * 1024 * 1024,
    ...cluster.settings,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
};
