import type { ConversationDetail } from '@centralita/contracts';
import { Button, Modal } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { command } from '../api/client.js';
import { useDispositions } from '../api/queries.js';
import type { Language } from '../i18n/index.js';
import { useFocusBack } from '../shared/focus-back.js';
import { ProblemNotice } from '../shared/problem-notice.js';
import classes from './conversation.module.css';

/** Closes a conversation: first how it ended, then the end. */
export const Resolve = ({
  detail,
  onClose,
  onDone,
}: {
  readonly detail: ConversationDetail;
  readonly onClose: () => void;
  readonly onDone: () => void;
}): ReactNode => {
  const { t, i18n } = useTranslation();
  useFocusBack();
  const dispositions = useDispositions();
  const [code, setCode] = useState<string | null>(detail.dispositionCode);
  const close = useMutation({
    mutationFn: (dispositionCode: string) =>
      command('POST', `/v1/conversations/${detail.conversationId}/close`, { dispositionCode }),
    onSuccess: onDone,
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('actions.resolve')}
      closeButtonProps={{ 'aria-label': t('actions.cancel') }}
      centered
    >
      <form
        className={classes.dialog}
        onSubmit={(event) => {
          event.preventDefault();
          if (code !== null) close.mutate(code);
        }}
      >
        <fieldset className={classes.endings}>
          <legend>{t('actions.disposition')}</legend>
          {dispositions.data?.items.map((each, position) => (
            <label key={each.code}>
              <input
                type="radio"
                name="disposition"
                value={each.code}
                checked={code === each.code}
                onChange={() => setCode(each.code)}
                data-autofocus={(code === null ? position === 0 : code === each.code) || undefined}
              />
              {each.label[i18n.language as Language]}
            </label>
          ))}
        </fieldset>
        {dispositions.error && <ProblemNotice error={dispositions.error} onRetry={() => void dispositions.refetch()} />}
        {close.error && <ProblemNotice error={close.error} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose}>
            {t('actions.cancel')}
          </Button>
          <Button type="submit" disabled={code === null || close.isPending}>
            {t('actions.resolve')}
          </Button>
        </div>
      </form>
    </Modal>
  );
};
