import type { Dashboard } from './model.js';

export const integrity: Dashboard = {
  name: 'integrity',
  title: 'integrity',
  rows: [
    {
      title: 'Access ledger',
      panels: [
        {
          title: 'Holes and contradictions',
          queries: [['sum by (kind) (audit_verify_failures_total{${ours}})', '{{kind}}']],
          alerts: ['AuditChainBroken'],
        },
        {
          title: 'Age of the last checkpoint with newer leaves',
          unit: 's',
          queries: [['max(audit_checkpoint_age_seconds{${ours}})', 'age']],
          alerts: ['AuditCheckpointLate'],
        },
        {
          title: 'From access to checkpoint',
          unit: 's',
          queries: [['histogram_quantile(0.99, sum by (le) (rate(audit_sealed_seconds_bucket{${ours}}[5m])))', '99 %']],
        },
        { title: 'Leaves per minute', queries: [['60 * deriv(audit_chain_height{${ours}}[5m])', '{{pod}}']] },
        {
          title: 'Access records',
          queries: [['sum by (service, outcome) (rate(access_records_total{${ours}}[5m]))', '{{service}} {{outcome}}']],
        },
        {
          title: 'Answers withheld',
          queries: [['sum by (service) (increase(access_record_failures_total{${ours}}[5m]))', '{{service}}']],
          alerts: ['AccessRecordsFailing'],
        },
      ],
    },
    {
      title: 'Billing',
      panels: [
        {
          title: 'Deliveries not accounted for',
          queries: [['max(billing_reconcile_diff{${ours}})', 'difference']],
          alerts: ['BillingReconcileDiff'],
        },
        { title: 'Records without a price', queries: [['max(billing_unrated_events{${ours}})', 'records']] },
        {
          title: 'Age of the oldest without a price',
          unit: 's',
          queries: [['max(billing_oldest_unrated_seconds{${ours}})', 'age']],
          alerts: ['BillingUnrated'],
        },
      ],
    },
    {
      title: 'Proofs, archive, keys',
      panels: [
        {
          title: 'Age of the last proof',
          unit: 's',
          queries: [['min by (what) (replay_proof_age_seconds{${ours}})', '{{what}}']],
          alerts: ['ReplayProofOld'],
        },
        {
          title: 'Proofs that gave another digest',
          queries: [['max by (what) (replay_proof_failed{${ours}})', '{{what}}']],
          alerts: ['ReplayProofFailed'],
        },
        {
          title: 'Age of the oldest record that is not archived',
          unit: 's',
          queries: [['max(archive_lag_seconds{${ours}})', 'lag']],
          alerts: ['ArchiveLag'],
        },
        {
          title: 'Errors of keys',
          queries: [
            ['sum by (service, operation, code) (rate(kms_errors_total{${ours}}[5m]))', '{{service}} {{operation}} {{code}}'],
          ],
          alerts: ['KmsErrors'],
        },
        {
          title: 'Time since the last self-test that came all the way',
          unit: 's',
          queries: [['time() - max(selftest_projected_timestamp_seconds{${ours}} > 0)', 'age']],
        },
        {
          title: 'Time since a key was rotated',
          unit: 's',
          queries: [['max(key_rotation_age_seconds{${ours}})', 'age']],
          alerts: ['KeyRotationOverdue'],
        },
      ],
    },
  ],
};
