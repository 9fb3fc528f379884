import { describe, expect, it, jest } from '@jest/globals';
import { render } from '../helm/render.js';
import { at, nameOf, ofKind } from '../manifests/manifest.js';
import { containersOf, podsOf } from '../manifests/pods.js';
import { rightsFindings } from '../rules/access.js';
import { duplicateFindings } from '../rules/duplicates.js';
import { hardeningFindings } from '../rules/hardening.js';
import { jobRuleFindings } from '../rules/jobs.js';
import { argoOrderFindings, helmOrderFindings } from '../rules/phases.js';
import { podSecurityFindings } from '../rules/pod-security.js';
import { missingKeyFindings } from '../rules/references.js';
import { scalingFindings, selectionFindings } from '../rules/scaling.js';
import { schemaFindings } from '../rules/schema.js';
import { cases, hasFixedUser, longRelease } from './cases.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

describe.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
  it('is what an API server takes, field by field', async () => {
    expect(await schemaFindings(render(one.options))).toEqual([]);
  });

  it('has nothing twice that server-side apply refuses', () => {
    expect(duplicateFindings(render(one.options))).toEqual([]);
  });

  it('keeps the restricted profile, and what we ask beyond it', () => {
    const manifests = render(one.options);
    expect(podSecurityFindings(manifests)).toEqual([]);
    expect(hardeningFindings(manifests, { fixedUser: hasFixedUser(one) })).toEqual([]);
  });

  it('gives no right at the API server', () => {
    expect(rightsFindings(render(one.options))).toEqual([]);
  });

  it('scales, drains and is evicted without contradictions', () => {
    const manifests = render(one.options);
    expect(scalingFindings(manifests, { partitions: one.name.includes('Strimzi') ? 48 : 12 })).toEqual([]);
    expect(selectionFindings(manifests)).toEqual([]);
  });

  it('has jobs that end, in an order in which nothing waits for ever', () => {
    const manifests = render(one.options);
    expect(jobRuleFindings(manifests)).toEqual([]);
    expect(helmOrderFindings(manifests)).toEqual([]);
    expect(argoOrderFindings(manifests)).toEqual([]);
    expect(missingKeyFindings(manifests)).toEqual([]);
  });
});

describe('the corners', () => {
  const withName = (name: string) => {
    const found = cases.find((one) => one.name === name);
    if (!found) throw new Error(`no case ${name}`);
    return render(found.options);
  };

  it('renders what each name says', () => {
    expect(podsOf(withName('all off'))).toEqual([]);
    expect(ofKind(withName('a single service'), 'Deployment').map((one) => one.metadata.name)).toEqual(['centralita-billing']);
    for (const { container } of podsOf(withName('air gap')).flatMap(containersOf))
      expect(container.image).toMatch(/^mirror\.internal:5000\//);
    for (const service of ofKind(withName('IPv6'), 'Service')) expect(service.spec).toMatchObject({ ipFamilies: ['IPv6'] });
    expect(withName('IPv6').length).toBe(withName('default').length);
    for (const kind of [
      'HorizontalPodAutoscaler',
      'ScaledObject',
      'HTTPRoute',
      'ServiceMonitor',
      'PrometheusRule',
      'ExternalSecret',
      'BackendTLSPolicy',
      'GrafanaDashboard',
      'CronJob',
      'TriggerAuthentication',
    ])
      expect(ofKind(withName('all on'), kind)).not.toEqual([]);
    expect(ofKind(withName('Ingress'), 'Ingress')).toHaveLength(2);
    expect(ofKind(withName('PodMonitor and annotations'), 'PodMonitor')).not.toEqual([]);
    expect(ofKind(withName('topics by Strimzi'), 'KafkaTopic')).toHaveLength(9);
    const foreign = withName('a cluster without any operator').filter(({ apiVersion }) =>
      /monitoring|keda|grafana|gateway\./.test(apiVersion),
    );
    expect(foreign.map(nameOf)).toEqual([]);
  });

  it('listens on :: where there is IPv6', () => {
    expect(JSON.stringify(withName('IPv6'))).toContain('"::"');
    expect(JSON.stringify(withName('default'))).toContain('"0.0.0.0"');
  });

  it('keeps every name within what Kubernetes takes', () => {
    for (const manifest of withName('a release name of 53 characters')) {
      expect(`${nameOf(manifest)} ${manifest.metadata.name.length}`).toBe(
        `${nameOf(manifest)} ${Math.min(63, manifest.metadata.name.length)}`,
      );
      // The pods of a CronJob's Job get eleven more characters.
      if (manifest.kind === 'CronJob') expect(manifest.metadata.name.length).toBeLessThanOrEqual(52);
      for (const value of Object.values(manifest.metadata.labels ?? {})) expect(value.length).toBeLessThanOrEqual(63);
      expect(manifest.metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    }
  });

  it('can stand twice in one namespace', () => {
    const first = render({ release: 'one' });
    const second = render({ release: 'two' });
    expect(duplicateFindings([...first, ...second])).toEqual([]);
    expect(selectionFindings([...first, ...second])).toEqual([]);
    const long = render({ release: longRelease });
    const other = render({ release: `${longRelease.slice(0, -1)}y` });
    expect(duplicateFindings([...long, ...other])).toEqual([]);
    expect(selectionFindings([...long, ...other])).toEqual([]);
  });

  it('puts everything into the namespace that the values name', () => {
    for (const manifest of render({ values: { namespaceOverride: 'elsewhere' } }))
      expect(`${nameOf(manifest)} in ${manifest.metadata.namespace}`).toBe(`${nameOf(manifest)} in elsewhere`);
  });

  it('puts the team’s labels on everything and never in the place of those that select', () => {
    const manifests = render({
      values: { commonLabels: { team: 'a', 'app.kubernetes.io/name': 'taken' }, commonAnnotations: { note: 'b' } },
    });
    for (const manifest of manifests) {
      expect(manifest.metadata.labels).toMatchObject({ team: 'a', 'app.kubernetes.io/name': 'centralita' });
      expect(manifest.metadata.annotations).toMatchObject({ note: 'b' });
    }
    expect(at(manifests, 0)).toBeDefined();
  });
});
