import { describe, expect, it } from '@jest/globals';
import { parseManifests } from '../manifests/manifest.js';
import { mayConnect, policiesOf, type Endpoint } from './network.js';
import { selects } from './selectors.js';

const pod = (app: string, namespace = 'messaging'): Endpoint => ({
  namespace,
  namespaceLabels: { 'kubernetes.io/metadata.name': namespace },
  labels: { app },
  ports: { http: 8080 },
});
const api = { port: 8080, protocol: 'TCP' } as const;

const policies = (text: string) => policiesOf(parseManifests(text), 'messaging');

const ofBilling = (rules: string) =>
  policies(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: billing }
spec:
  podSelector: { matchLabels: { app: billing } }
  policyTypes: [Ingress, Egress]
  ${rules}
`);

describe('network policies', () => {
  it('let everything pass where none selects a pod', () => {
    expect(mayConnect([], pod('a'), pod('b'), api)).toBe(true);
    expect(mayConnect(ofBilling(''), pod('a'), pod('b'), api)).toBe(true);
  });

  it('let nothing pass that is not written', () => {
    const closed = ofBilling('');
    expect(mayConnect(closed, pod('gateway'), pod('billing'), api)).toBe(false);
    expect(mayConnect(closed, pod('billing'), pod('gateway'), api)).toBe(false);
    expect(mayConnect(closed, pod('billing'), { address: '192.0.2.1' }, api)).toBe(false);
  });

  it('compare labels, namespaces and ports, by name too', () => {
    const open = ofBilling('ingress: [{ from: [{ podSelector: { matchLabels: { app: gateway } } }], ports: [{ port: http }] }]');
    expect(mayConnect(open, pod('gateway'), pod('billing'), api)).toBe(true);
    expect(mayConnect(open, pod('gateway'), pod('billing'), { port: 9090, protocol: 'TCP' })).toBe(false);
    expect(mayConnect(open, pod('gateway'), pod('billing'), { port: 8080, protocol: 'UDP' })).toBe(false);
    expect(mayConnect(open, pod('routing'), pod('billing'), api)).toBe(false);
    expect(mayConnect(open, pod('gateway', 'elsewhere'), pod('billing'), api)).toBe(false);
    const anywhere = ofBilling(
      'ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: gateway } } }] }]',
    );
    expect(mayConnect(anywhere, pod('gateway', 'elsewhere'), pod('billing'), api)).toBe(true);
    expect(mayConnect(anywhere, pod('other', 'elsewhere'), pod('billing'), api)).toBe(false);
  });

  it('need both ends to agree', () => {
    const both = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: a }
spec: { podSelector: { matchLabels: { app: a } }, policyTypes: [Egress], egress: [EGRESS] }
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: b }
spec: { podSelector: { matchLabels: { app: b } }, policyTypes: [Ingress], ingress: [INGRESS] }
`;
    const of = (egress: string, ingress: string) =>
      mayConnect(policies(both.replace('EGRESS', egress).replace('INGRESS', ingress)), pod('a'), pod('b'), api);
    expect(of('{}', '{}')).toBe(true);
    expect(of('', '{}')).toBe(false);
    expect(of('{}', '')).toBe(false);
    expect(of('{ ports: [{ port: 8000, endPort: 8100 }] }', '{}')).toBe(true);
    expect(of('{ ports: [{ port: 8000, endPort: 8010 }] }', '{}')).toBe(false);
  });

  it('know blocks of addresses, of both families, and their exceptions', () => {
    const out = ofBilling(
      'egress: [{ to: [{ ipBlock: { cidr: 0.0.0.0/0, except: [10.0.0.0/8] } }, { ipBlock: { cidr: "2001:db8::/32" } }] }]',
    );
    const to = (address: string) => mayConnect(out, pod('billing'), { address }, api);
    expect([to('192.0.2.1'), to('10.1.2.3'), to('2001:db8::1'), to('2001:db9::1')]).toEqual([true, false, true, false]);
    expect(mayConnect(out, pod('billing'), pod('gateway'), api)).toBe(false);
  });

  it('select by expressions', () => {
    const expression = (operator: string, values?: string[]) => ({
      matchExpressions: [{ key: 'app', operator, ...(values ? { values } : {}) }],
    });
    expect(selects(expression('In', ['a']), { app: 'a' })).toBe(true);
    expect(selects(expression('NotIn', ['a']), { app: 'a' })).toBe(false);
    expect(selects(expression('Exists'), {})).toBe(false);
    expect(selects(expression('DoesNotExist'), {})).toBe(true);
    expect(() => selects(expression('Gt'), {})).toThrow('operator Gt');
    expect(selects({}, {})).toBe(true);
  });
});
