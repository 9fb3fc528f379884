import { describe, expect, it } from '@jest/globals';
import { nameOf, parseManifests } from '../manifests/manifest.js';
import { argoOrderFindings, argoWaves, helmOrderFindings } from './phases.js';
import { externalsOf, missingKeyFindings, referencesOf } from './references.js';
import { butWith, good } from './specimens/good.js';

describe('references', () => {
  it('finds what a release needs and does not make, with the keys that it reads', () => {
    expect(externalsOf(good)).toEqual([{ kind: 'Secret', name: 'centralita-kafka', keys: ['password'] }]);
  });

  it.each([
    ['configMapRef: { name: billing }', 'configMapRef: { name: billling }', 'ConfigMap', 'billling'],
    ['serviceAccountName: billing', 'serviceAccountName: biling', 'ServiceAccount', 'biling'],
    ['serviceAccountName: billing', 'serviceAccountName: billing\n      imagePullSecrets: [{ name: pull }]', 'Secret', 'pull'],
    ['emptyDir: { sizeLimit: 64Mi }', 'persistentVolumeClaim: { claimName: media }', 'PersistentVolumeClaim', 'media'],
    ['emptyDir: { sizeLimit: 64Mi }', 'projected: { sources: [{ configMap: { name: apps } }] }', 'ConfigMap', 'apps'],
    ['value: production', 'valueFrom: { secretKeyRef: { name: mode, key: node } }', 'Secret', 'mode'],
  ])('sees %s -> %s', (text, replacement, kind, name) => {
    expect(externalsOf(butWith(text, replacement))).toContainEqual(expect.objectContaining({ kind, name }));
  });

  it('does not ask for what is optional', () => {
    const optional = butWith('secretName: centralita-kafka', 'secretName: centralita-kafka, optional: true');
    expect(externalsOf(optional)).toEqual([]);
  });

  it('follows routes, autoscalers and their credentials', () => {
    const more = parseManifests(`
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: i }
spec: { tls: [{ secretName: tls }], rules: [{ http: { paths: [{ backend: { service: { name: a } } }] } }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r }
spec: { rules: [{ backendRefs: [{ name: b }] }] }
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: s }
spec: { scaleTargetRef: { name: c }, triggers: [{ type: kafka, authenticationRef: { name: d } }] }
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: { name: d }
spec: { secretTargetRef: [{ name: e, key: password, parameter: password }] }
`);
    expect(externalsOf(more).map(({ kind, name }) => `${kind}/${name}`)).toEqual([
      'Deployment/c',
      'Secret/e',
      'Secret/tls',
      'Service/a',
      'Service/b',
    ]);
    expect(referencesOf(more)).toHaveLength(6);
  });

  it('knows what operators make, and misses keys that they do not', () => {
    const user =
      '\n---\napiVersion: kafka.strimzi.io/v1\nkind: KafkaUser\nmetadata: { name: centralita-kafka }\nspec: { authentication: { type: TYPE } }\n';
    const scram = butWith('LOG_LEVEL', 'LOG_LEVEL', user.replace('TYPE', 'scram-sha-512'));
    expect(externalsOf(scram)).toEqual([]);
    expect(missingKeyFindings(scram)).toEqual([]);
    expect(missingKeyFindings(butWith('LOG_LEVEL', 'LOG_LEVEL', user.replace('TYPE', 'tls')))).toEqual([
      'Deployment/billing: Secret/centralita-kafka has no password, only ca.crt, user.crt, user.key, user.p12, user.password',
    ]);
  });
});

describe('the order of a release', () => {
  const hook = (annotations: string) => `
---
apiVersion: batch/v1
kind: Job
metadata: { name: migrate, annotations: { ${annotations} } }
spec: { template: { spec: { serviceAccountName: billing, containers: [{ name: migrate }] } } }
`;

  it('refuses a hook that needs what the release itself makes later', () => {
    const early = butWith('LOG_LEVEL', 'LOG_LEVEL', hook('helm.sh/hook: "pre-install,pre-upgrade"'));
    expect(helmOrderFindings(early)).toEqual(['helm: Job/migrate needs ServiceAccount/billing, which is applied later']);
    expect(argoOrderFindings(early)).toEqual(['Argo CD: Job/migrate needs ServiceAccount/billing, which is applied later']);
  });

  it('lets ordinary jobs and later hooks be', () => {
    for (const annotations of [
      '',
      'helm.sh/hook: post-install',
      'argocd.argoproj.io/hook: Sync, argocd.argoproj.io/sync-wave: "1"',
    ]) {
      const fine = butWith('LOG_LEVEL', 'LOG_LEVEL', hook(annotations));
      expect(helmOrderFindings(fine)).toEqual([]);
      expect(argoOrderFindings(fine)).toEqual([]);
    }
  });

  it('refuses a wave before that of what it needs', () => {
    const waves = butWith('LOG_LEVEL', 'LOG_LEVEL', hook('argocd.argoproj.io/sync-wave: "-1"'));
    expect(argoOrderFindings(waves)).toEqual(['Argo CD: Job/migrate needs ServiceAccount/billing, which is applied later']);
    expect(argoWaves(waves)[0]).toEqual({ phase: 1, wave: -1, objects: ['Job/migrate'] });
    expect(argoWaves(good)).toEqual([{ phase: 1, wave: 0, objects: good.map(nameOf) }]);
  });

  it('takes a weight for a wave, and knows hooks that Argo CD never runs', () => {
    const weighted = butWith('LOG_LEVEL', 'LOG_LEVEL', hook('helm.sh/hook: post-install, helm.sh/hook-weight: "5"'));
    expect(argoWaves(weighted).at(-1)).toEqual({ phase: 2, wave: 5, objects: ['Job/migrate'] });
    expect(
      argoWaves(butWith('LOG_LEVEL', 'LOG_LEVEL', hook('helm.sh/hook: test'))).flatMap((wave) => wave.objects),
    ).not.toContain('Job/migrate');
  });
});
