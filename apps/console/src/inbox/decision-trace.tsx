import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useDecisions } from '../api/queries.js';
import { useAgentName } from '../shared/labels.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { preciseTime } from '../shared/time.js';
import { Waiting } from '../shared/waiting.js';
import classes from './side-panel.module.css';

/** Why this agent: each decision about the conversation with every candidate and the fact that ruled them out. */
export const DecisionTrace = ({ taskId }: { readonly taskId: string }): ReactNode => {
  const { t, i18n } = useTranslation();
  const [open, setOpen] = useState(false);
  const agent = useAgentName();
  const decisions = useDecisions(taskId, open);
  const rule = (names: string): string =>
    names
      .split(', ')
      .map((name) => (i18n.exists(`rule.${name}`) ? t(`rule.${name}`) : name))
      .join(', ');
  return (
    <section className={classes.trace}>
      <h3>{t('side.decisions')}</h3>
      {!open && (
        <p className={classes.ask}>
          <Button size="xs" variant="default" onClick={() => setOpen(true)}>
            {t('side.why')}
          </Button>
        </p>
      )}
      {open && decisions.isPending && <Waiting rows={2} height={64} />}
      {decisions.error && <ProblemNotice error={decisions.error} onRetry={() => void decisions.refetch()} />}
      {decisions.data?.items.length === 0 && <p className={classes.ask}>{t('side.noDecision')}</p>}
      {decisions.data?.items
        .toSorted((left, right) => Date.parse(right.decidedAt) - Date.parse(left.decidedAt))
        .map((decision) => (
          <div key={decision.decisionId} className={classes.decision}>
            <p className={classes.verdict}>
              {decision.chosenAgentId === null
                ? t('side.nobody')
                : t('side.chosen', { agent: agent(decision.chosenAgentId), why: rule(decision.rule) })}
            </p>
            <p className={classes.dim}>
              <time dateTime={decision.decidedAt}>{preciseTime(decision.decidedAt)}</time> ·{' '}
              {t('side.policy', { version: decision.policyVersion, step: decision.step })}
            </p>
            <table className={classes.candidates}>
              <thead>
                <tr>
                  <th scope="col">{t('side.candidate')}</th>
                  <th scope="col">{t('side.reason')}</th>
                  <th scope="col">{t('side.load')}</th>
                </tr>
              </thead>
              <tbody>
                {decision.candidates
                  .toSorted((left, right) => Number(right.eligible) - Number(left.eligible))
                  .map((candidate) => (
                    <tr key={candidate.agentId} data-chosen={candidate.agentId === decision.chosenAgentId}>
                      <td>{agent(candidate.agentId)}</td>
                      <td>{t(`candidate.${candidate.reason}`)}</td>
                      <td>
                        {candidate.load}/{candidate.capacity}
                      </td>
                    </tr>
                  ))}
              </tbody>
            </table>
          </div>
        ))}
    </section>
  );
};
