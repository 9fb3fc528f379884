import { describe, expect, it } from '@jest/globals';
import { serverProperties } from './settings.js';
import type { NodeSettings } from './settings.js';

const node = (id: number): NodeSettings => ({
  id,
  brokerPort: 9000 + id,
  controllerPort: 9100 + id,
  directory: `/data/node-${id}`,
});
const read = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );

describe('server.properties', () => {
  it('lets one node work alone', () => {
    const properties = read(serverProperties({ nodes: [node(1)], brokerSessionTimeoutMs: 9_000 }, node(1)));
    expect(properties).toMatchObject({
      'node.id': '1',
      'process.roles': 'broker,controller',
      'advertised.listeners': 'PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101',
      'offsets.topic.replication.factor': '1',
      'min.insync.replicas': '1',
      'auto.create.topics.enable': 'false',
      'broker.session.timeout.ms': '9000',
    });
  });

  it('lets clients of another network in', () => {
    const network = { listen: '192.0.2.1:9094', advertised: 'kafka:9094' };
    expect(read(serverProperties({ nodes: [node(1)], brokerSessionTimeoutMs: 9_000, network }, node(1)))).toMatchObject({
      listeners: 'PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101,NETWORK://192.0.2.1:9094',
      'advertised.listeners': 'PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101,NETWORK://kafka:9094',
    });
  });

  it('takes settings in place of its own', () => {
    const settings = { 'min.insync.replicas': '3', 'producer.id.expiration.ms': '200' };
    expect(read(serverProperties({ nodes: [node(1)], brokerSessionTimeoutMs: 9_000, settings }, node(1)))).toMatchObject(
      settings,
    );
  });

  it('makes three nodes replicate, with one to spare', () => {
    const nodes = [1, 2, 3].map(node);
    const properties = read(serverProperties({ nodes, brokerSessionTimeoutMs: 3_000 }, node(2)));
    expect(properties).toMatchObject({
      'node.id': '2',
      'controller.quorum.bootstrap.servers': '127.0.0.1:9101,127.0.0.1:9102,127.0.0.1:9103',
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'broker.heartbeat.interval.ms': '500',
    });
  });
});
