import type { PlatformParkedKey } from '@centralita/contracts';
import { Button, Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { count } from './figures.js';
import classes from './platform.module.css';

type Place = NonNullable<PlatformParkedKey['first']>;
export const placeOf = ({ topic, partition, offset }: Place): string => `${topic}/${partition}/${offset}`;

/** Says what it means to give a record up, before it is for ever. */
export const SkipDialog = ({
  opened,
  item,
  busy,
  problem,
  onClose,
  onSkip,
}: {
  readonly opened: boolean;
  readonly item: PlatformParkedKey | null;
  readonly busy: boolean;
  readonly problem: ReactNode;
  readonly onClose: () => void;
  readonly onSkip: (item: PlatformParkedKey) => void;
}): ReactNode => {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('platform.skip.title')}
      closeButtonProps={{ 'aria-label': t('actions.cancel') }}
      transitionProps={{ duration: 140 }}
      centered
    >
      {item?.first && (
        <div className={classes.dialog}>
          <p>
            <code className={classes.place}>{placeOf(item.first)}</code>
          </p>
          <ul className={classes.consequences}>
            <li>{t('platform.skip.never', { process: item.process })}</li>
            <li>{t(`platform.skip.means.${item.process}`)}</li>
            {item.records > 1 && <li>{t('platform.skip.behind', { count: item.records - 1, n: count(item.records - 1) })}</li>}
            <li>{t('platform.skip.stays')}</li>
            <li>{t('platform.skip.recorded')}</li>
          </ul>
          {problem}
          <div className={classes.buttons}>
            <Button variant="default" onClick={onClose} data-autofocus>
              {t('actions.cancel')}
            </Button>
            <Button disabled={busy} onClick={() => onSkip(item)}>
              {t('platform.skip.button')}
            </Button>
          </div>
        </div>
      )}
    </Modal>
  );
};
