import type { ReasonCode, Revealed } from '@centralita/contracts';
import type { z } from 'zod';
import { Button, NativeSelect } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { command } from '../api/client.js';
import { useNow } from '../shared/clock.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import { minutesSeconds } from '../shared/time.js';
import classes from './side-panel.module.css';

const reasons = [
  'ASSIGNED_CONVERSATION',
  'SUBJECT_REQUEST',
  'BILLING_DISPUTE',
  'SECURITY_INVESTIGATION',
  'LEGAL_PROCESS',
] as const satisfies readonly ReasonCode[];

/** The phone, masked. Showing all of it needs a reason, is a record, and lasts until the server says. */
export const PhoneReveal = ({
  id,
  masked,
  erased,
}: {
  readonly id: string;
  readonly masked: string | null;
  readonly erased: boolean;
}): ReactNode => {
  const { t } = useTranslation();
  const now = useNow();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState<ReasonCode>(reasons[0]);
  const reveal = useMutation({
    // Not kept longer than it is shown.
    gcTime: 0,
    mutationFn: () => command<z.infer<typeof Revealed>>('POST', `/v1/conversations/${id}/reveal`, { field: 'phone', reason }),
    onSuccess: () => setAsking(false),
  });
  const revealed = reveal.data?.body;
  const left = revealed ? Date.parse(revealed.expiresAt) - now : 0;
  const shown = revealed && left > 0 ? (revealed.phone ?? revealed.bsuid) : null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    reveal.mutate();
  };
  return (
    <section aria-label={t('side.phone')}>
      <h3 className={classes.label}>{t('side.phone')}</h3>
      <div className={classes.phone}>
        <span>{erased ? t('inbox.erased') : (shown ?? masked ?? t('side.noPhone'))}</span>
        {!erased && shown === null && !asking && (
          <Button size="xs" variant="default" onClick={() => setAsking(true)}>
            {t('actions.showPhone')}
          </Button>
        )}
      </div>
      {shown !== null && <p className={classes.dim}>{t('actions.hides', { time: minutesSeconds(left) })}</p>}
      {asking && (
        <form className={classes.form} onSubmit={submit}>
          <NativeSelect
            label={t('actions.reason')}
            value={reason}
            onChange={(event) => setReason(event.target.value as ReasonCode)}
            data={reasons.map((code) => ({ value: code, label: t(`reasonCode.${code}`) }))}
          />
          <div className={classes.buttons}>
            <Button size="xs" type="submit" disabled={reveal.isPending}>
              {t('actions.showPhone')}
            </Button>
            <Button size="xs" variant="default" onClick={() => setAsking(false)}>
              {t('actions.cancel')}
            </Button>
          </div>
        </form>
      )}
      {reveal.error && <ProblemNotice error={reveal.error} />}
    </section>
  );
};
