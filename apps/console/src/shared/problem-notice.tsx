import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api/client.js';
import classes from './problem-notice.module.css';

const isKnown = (code: string, exists: (key: string) => boolean): boolean => exists(`problem.${code}`);

/** What a problem means to the person who met it. */
export const useProblemText = (): ((error: unknown) => string) => {
  const { t, i18n } = useTranslation();
  return (error) => {
    const code = error instanceof ApiProblem ? error.problem.code : 'other';
    return isKnown(code, (key) => i18n.exists(key)) ? t(`problem.${code}`) : t('problem.other');
  };
};

/** Says in place what failed, with the code to quote. Asking again is a person's choice: each answer is a record. */
export const ProblemNotice = ({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }): ReactNode => {
  const { t } = useTranslation();
  const text = useProblemText();
  const problem = error instanceof ApiProblem ? error.problem : null;
  return (
    <div className={classes.notice} role="alert">
      <p>{text(error)}</p>
      {problem && (
        <p className={classes.code}>
          {t('problem.code', { code: problem.code })}
          {problem.traceId ? `. ${t('problem.trace', { id: problem.traceId })}` : ''}
        </p>
      )}
      {onRetry && problem?.code !== 'FORBIDDEN' && problem?.code !== 'NOT_FOUND' && (
        <Button size="xs" variant="default" onClick={onRetry}>
          {t('problem.retry')}
        </Button>
      )}
    </div>
  );
};
