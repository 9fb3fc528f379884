import { describe, expect, it } from '@jest/globals';
import { conformFindings, linterFindings, scoreFindings } from './reports.js';

describe('reports of linters', () => {
  it('reads kube-linter', () => {
    const report = {
      Check: 'a',
      Diagnostic: { Message: 'b' },
      Object: { K8sObject: { Name: 'c', GroupVersionKind: { Kind: 'Job' } } },
    };
    expect(linterFindings(JSON.stringify({ Checks: [1, 2], Reports: [report] }))).toEqual({
      checks: 2,
      findings: [{ level: 'error', check: 'a', object: 'Job/c', message: 'b' }],
    });
    expect(linterFindings('{"Checks":[1],"Reports":null}').findings).toEqual([]);
  });

  it('reads kube-score', () => {
    const text = [
      '[OK] billing/messaging apps/v1/Deployment',
      '[SKIPPED] billing/messaging apps/v1/Deployment: not needed',
      '[WARNING] billing/messaging apps/v1/Deployment: few replicas',
      '[CRITICAL] migrate/messaging batch/v1/Job: (ingest) CPU limit is not set',
      '',
    ].join('\n');
    expect(scoreFindings(text)).toEqual({
      checks: 3,
      findings: [
        { level: 'warning', check: 'kube-score', object: 'Deployment/billing', message: 'few replicas' },
        { level: 'error', check: 'kube-score', object: 'Job/migrate', message: '(ingest) CPU limit is not set' },
      ],
    });
  });

  it('reads kubeconform', () => {
    const resources = ['Valid', 'Invalid', 'Error', 'Skipped'].map((status) => ({
      kind: 'Job',
      name: status,
      status: `status${status}`,
      msg: 'm',
    }));
    expect(conformFindings(JSON.stringify({ resources }))).toMatchObject({
      checks: 3,
      findings: [{ object: 'Job/Invalid' }, { object: 'Job/Error' }],
    });
  });
});
