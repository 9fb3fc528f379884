import { describe, expect, it } from '@jest/globals';
import { parseManifests } from '../manifests/manifest.js';
import { rightsFindings, wildcardFindings } from './access.js';
import { immutableFindings, upgradeOf } from './immutable.js';
import { jobRuleFindings } from './jobs.js';
import { scalingFindings, selectionFindings } from './scaling.js';
import { butWith, good } from './specimens/good.js';

describe('an upgrade', () => {
  it('may change what can be changed, and restarts only pods whose template differs', () => {
    const after = butWith('LOG_LEVEL: info', 'LOG_LEVEL: debug');
    expect(immutableFindings(good, after)).toEqual([]);
    expect(upgradeOf(good, after)).toEqual({ created: [], deleted: [], changed: ['ConfigMap/billing'], restarted: [] });
    expect(upgradeOf(good, butWith('billing:1.0.0', 'billing:1.0.1')).restarted).toEqual(['Deployment/billing']);
    expect(upgradeOf(good, good.slice(1)).deleted).toEqual(['ServiceAccount/billing']);
  });

  it('refuses another selector, also one that only grew', () => {
    expect(
      immutableFindings(good, butWith('selector: { matchLabels: { app: billing } }', 'selector: { matchLabels: { app: b } }')),
    ).toEqual(['Deployment/billing: spec.selector cannot be changed']);
    expect(
      immutableFindings(
        good,
        butWith('selector: { matchLabels: { app: billing } }', 'selector: { matchLabels: { app: billing, a: b } }'),
      ),
    ).toHaveLength(1);
  });

  const job = (name: string, image: string, annotations = '') =>
    parseManifests(`
apiVersion: batch/v1
kind: Job
metadata: { name: ${name}, annotations: { ${annotations} } }
spec: { template: { spec: { containers: [{ name: a, image: "${image}" }] } } }
`);

  it('refuses another template of a job under one name, and takes it under another or as a hook', () => {
    expect(immutableFindings(job('migrate', 'a:1'), job('migrate', 'a:2'))).toEqual([
      'Job/migrate: spec.template cannot be changed',
    ]);
    expect(immutableFindings(job('migrate-1', 'a:1'), job('migrate-2', 'a:2'))).toEqual([]);
    const hook = 'helm.sh/hook: pre-upgrade';
    expect(immutableFindings(job('migrate', 'a:1', hook), job('migrate', 'a:2', hook))).toEqual([]);
  });
});

describe('rights', () => {
  it('finds none in the good specimen', () => {
    expect(rightsFindings(good)).toEqual([]);
    expect(wildcardFindings(good)).toEqual([]);
  });

  it('refuses roles, wildcards and tokens', () => {
    const role =
      '\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: r }\nrules: [{ verbs: ["*"] }]\n';
    expect(rightsFindings(butWith('LOG_LEVEL', 'LOG_LEVEL', role))).toEqual(['Role/r gives rights at the API server']);
    expect(wildcardFindings(butWith('LOG_LEVEL', 'LOG_LEVEL', role))).toEqual(['Role/r gives a right by wildcard']);
    expect(rightsFindings(butWith('automountServiceAccountToken: false\n---', '---'))).toEqual([
      'ServiceAccount/billing: its token would be mounted',
    ]);
    expect(rightsFindings(butWith('      automountServiceAccountToken: false\n', ''))).toEqual([
      'Deployment/billing: a token is mounted',
    ]);
    const token = 'projected: { sources: [{ serviceAccountToken: { path: token } }] }';
    expect(rightsFindings(butWith('emptyDir: { sizeLimit: 64Mi }', token))).toHaveLength(1);
    expect(rightsFindings(butWith('emptyDir: { sizeLimit: 64Mi }', token.replace('path', 'audience: kafka, path')))).toEqual([]);
  });
});

describe('jobs', () => {
  const spec =
    'backoffLimit: 3, activeDeadlineSeconds: 600, template: { spec: { restartPolicy: Never, containers: [{ name: a }] } }';
  const job = (text: string, annotations = '') =>
    parseManifests(
      `apiVersion: batch/v1\nkind: Job\nmetadata: { name: j, annotations: { ${annotations} } }\nspec: { ${text} }\n`,
    );
  const cron = (text: string, inner = spec) =>
    parseManifests(
      `apiVersion: batch/v1\nkind: CronJob\nmetadata: { name: c }\nspec: { ${text}, jobTemplate: { spec: { ttlSecondsAfterFinished: 60, ${inner} } } }\n`,
    );
  const schedule =
    'concurrencyPolicy: Forbid, startingDeadlineSeconds: 60, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1';

  it('takes those that end, and do not vanish', () => {
    expect(jobRuleFindings(job(spec))).toEqual([]);
    expect(jobRuleFindings(job(spec, 'helm.sh/hook: test, helm.sh/hook-delete-policy: before-hook-creation'))).toEqual([]);
    expect(jobRuleFindings(cron(schedule))).toEqual([]);
  });

  it('refuses the others', () => {
    expect(jobRuleFindings(job(spec.replace('backoffLimit: 3, ', '')))).toEqual(['Job/j: has no backoffLimit']);
    expect(jobRuleFindings(job(spec.replace('activeDeadlineSeconds: 600, ', '')))).toHaveLength(1);
    expect(jobRuleFindings(job(spec.replace('Never', 'Always')))).toHaveLength(1);
    expect(jobRuleFindings(job(`ttlSecondsAfterFinished: 60, ${spec}`))).toEqual([
      expect.stringContaining('Argo CD sees it missing'),
    ]);
    expect(jobRuleFindings(job(spec, 'helm.sh/hook: test'))).toEqual([expect.stringContaining('in its own way')]);
    expect(jobRuleFindings(cron(schedule.replace('Forbid', 'Allow')))).toEqual(['CronJob/c: two runs at once are allowed']);
    expect(jobRuleFindings(cron('concurrencyPolicy: Forbid'))).toHaveLength(3);
  });
});

describe('scaling', () => {
  const options = { partitions: 12 };
  const keda = (text: string) => `
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: { name: billing }
spec:
  scaleTargetRef: { name: billing }
  minReplicaCount: 2
  ${text}
  triggers: [{ type: kafka }]
`;
  const calm = 'advanced: { horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: 600 } } } }';
  const scaled = (text: string, more = '') =>
    scalingFindings(butWith('replicas: 2', 'minReadySeconds: 1', keda(text) + more), options);

  it('has nothing to say of replicas, or of an autoscaler in their place', () => {
    expect(scalingFindings(good, options)).toEqual([]);
    expect(scaled(`maxReplicaCount: 12\n  ${calm}`)).toEqual([]);
  });

  it('refuses contradictions', () => {
    expect(scaled(`maxReplicaCount: 13\n  ${calm}`)).toEqual(['ScaledObject/billing: up to 13 consumers of 12 partitions']);
    expect(scaled('maxReplicaCount: 12')).toEqual([expect.stringContaining('scales down after no seconds')]);
    expect(scalingFindings(butWith('replicas: 2', 'replicas: 3', keda(`maxReplicaCount: 12\n  ${calm}`)), options)).toEqual([
      expect.stringContaining('sets replicas'),
    ]);
    const second =
      '\n---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: billing }\nspec: { scaleTargetRef: { name: billing }, maxReplicas: 3, behavior: { scaleDown: { stabilizationWindowSeconds: 300 } } }\n';
    expect(scaled(`maxReplicaCount: 12\n  ${calm}`, second)).toEqual([
      'Deployment/billing: scaled by ScaledObject/billing and HorizontalPodAutoscaler/billing',
    ]);
    expect(scalingFindings(butWith('replicas: 2', 'replicas: 1'), options)).toEqual([
      expect.stringContaining('no node can be drained'),
    ]);
    expect(scalingFindings(good.slice(0, 4), options)).toEqual(['Deployment/billing: 0 disruption budgets, not one']);
    expect(scalingFindings(butWith('maxUnavailable: 1', 'minAvailable: 2'), options)).toHaveLength(1);
    expect(scalingFindings(butWith('maxUnavailable: 1', 'maxUnavailable: 0'), options)).toHaveLength(1);
    expect(scalingFindings(butWith('  unhealthyPodEvictionPolicy: AlwaysAllow\n', ''), options)).toHaveLength(1);
    expect(
      scalingFindings(
        butWith('value: production }', 'value: production }\n            - { name: DRAIN_SECONDS, value: "61" }'),
        options,
      ),
    ).toEqual(['Deployment/billing: 60 s of grace, 61 s needed (0 s before SIGTERM)']);
  });

  it('refuses services and budgets that lead nowhere', () => {
    expect(selectionFindings(good)).toEqual([]);
    expect(selectionFindings(butWith('selector: { app: billing }', 'selector: { app: biling }'))).toEqual([
      'Service/billing: selects pods of 0 workloads',
    ]);
    expect(selectionFindings(butWith('targetPort: http', 'targetPort: web'))).toHaveLength(1);
    expect(
      selectionFindings(
        butWith('AlwaysAllow\n  selector: { matchLabels: { app: billing', 'AlwaysAllow\n  selector: { matchLabels: { app: b'),
      ),
    ).toEqual(['PodDisruptionBudget/billing: selects no pods']);
  });
});
