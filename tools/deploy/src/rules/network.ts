import { BlockList, isIPv6 } from 'node:net';
import { at, type Manifest } from '../manifests/manifest.js';
import { selects, type LabelSelector, type Labels } from './selectors.js';

/** One end of a connection: a pod, or an address outside of the cluster. */
export type Endpoint =
  | {
      readonly namespace: string;
      readonly namespaceLabels: Labels;
      readonly labels: Labels;
      readonly ports?: Readonly<Record<string, number>>;
    }
  | { readonly address: string };

export type Port = { readonly port: number; readonly protocol: 'TCP' | 'UDP' };

type Peer = {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { cidr: string; except?: string[] };
};

type PolicyPort = { readonly port?: number | string; readonly endPort?: number; readonly protocol?: string };

type Rule = { readonly from?: readonly Peer[]; readonly to?: readonly Peer[]; readonly ports?: readonly PolicyPort[] };

type Policy = {
  readonly name: string;
  readonly namespace: string;
  readonly podSelector: LabelSelector;
  readonly types: readonly string[];
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
};

/** The network policies among rendered objects. Objects without a namespace are in that of the release. */
export const policiesOf = (manifests: readonly Manifest[], releaseNamespace: string): Policy[] =>
  manifests
    .filter((manifest) => manifest.kind === 'NetworkPolicy')
    .map((manifest) => {
      const egress = at(manifest, 'spec', 'egress') as Rule[] | undefined;
      return {
        name: manifest.metadata.name,
        namespace: manifest.metadata.namespace ?? releaseNamespace,
        podSelector: at(manifest, 'spec', 'podSelector') ?? {},
        types: (at(manifest, 'spec', 'policyTypes') as string[] | undefined) ?? ['Ingress', ...(egress ? ['Egress'] : [])],
        ingress: (at(manifest, 'spec', 'ingress') as Rule[] | undefined) ?? [],
        egress: egress ?? [],
      };
    });

const inBlock = (address: string, cidr: string): boolean => {
  const [network = '', prefix = ''] = cidr.split('/');
  if (isIPv6(address) !== isIPv6(network)) return false;
  const family = isIPv6(network) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, Number(prefix), family);
  return list.check(address, family);
};

const peerMatches = (peer: Peer, endpoint: Endpoint, policyNamespace: string): boolean => {
  if (peer.ipBlock)
    return (
      'address' in endpoint &&
      inBlock(endpoint.address, peer.ipBlock.cidr) &&
      !(peer.ipBlock.except ?? []).some((cidr) => inBlock(endpoint.address, cidr))
    );
  if ('address' in endpoint) return false;
  const inNamespace = peer.namespaceSelector
    ? selects(peer.namespaceSelector, endpoint.namespaceLabels)
    : endpoint.namespace === policyNamespace;
  return inNamespace && (!peer.podSelector || selects(peer.podSelector, endpoint.labels));
};

const portMatches = (ports: readonly PolicyPort[] | undefined, { port, protocol }: Port, destination: Endpoint): boolean =>
  !ports ||
  ports.length === 0 ||
  ports.some((allowed) => {
    if ((allowed.protocol ?? 'TCP') !== protocol) return false;
    if (allowed.port === undefined) return true;
    const first =
      typeof allowed.port === 'number' ? allowed.port : 'address' in destination ? undefined : destination.ports?.[allowed.port];
    return first !== undefined && port >= first && port <= (allowed.endPort ?? first);
  });

const direction = (
  policies: readonly Policy[],
  type: 'Ingress' | 'Egress',
  self: Endpoint,
  other: Endpoint,
  port: Port,
  destination: Endpoint,
): boolean => {
  if ('address' in self) return true;
  const mine = policies.filter(
    (policy) => policy.types.includes(type) && policy.namespace === self.namespace && selects(policy.podSelector, self.labels),
  );
  if (mine.length === 0) return true;
  return mine.some((policy) =>
    (type === 'Ingress' ? policy.ingress : policy.egress).some((rule) => {
      const peers = type === 'Ingress' ? rule.from : rule.to;
      const peer = !peers || peers.length === 0 || peers.some((candidate) => peerMatches(candidate, other, policy.namespace));
      return peer && portMatches(rule.ports, port, destination);
    }),
  );
};

/** Whether a connection may be opened: the policies of both ends must allow it, and a pod that no policy selects allows all. */
export const mayConnect = (policies: readonly Policy[], from: Endpoint, to: Endpoint, port: Port): boolean =>
  direction(policies, 'Egress', from, to, port, to) && direction(policies, 'Ingress', to, from, port, to);
