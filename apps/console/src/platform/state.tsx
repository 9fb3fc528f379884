import type { PlatformProcessView } from '@centralita/contracts';
import { IconCheck, IconPlayerPause, IconQuestionMark, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './platform.module.css';

export type Condition = PlatformProcessView['state'] | 'unknown';
const icons = { ready: IconCheck, not_ready: IconPlayerPause, down: IconX, unknown: IconQuestionMark } as const;

/** A shape and a word for the condition of a process, never the colour alone. */
export const State = ({ state }: { readonly state: Condition }): ReactNode => {
  const { t } = useTranslation();
  const Icon = icons[state];
  return (
    <span className={classes.state} data-state={state}>
      <Icon size={14} stroke={2} aria-hidden="true" />
      {t(`platform.state.${state}`)}
    </span>
  );
};

/** The socket of a stage on the line of the pipeline. Its word stands beside it. */
export const Socket = ({ state }: { readonly state: Condition }): ReactNode => {
  const Icon = icons[state];
  return (
    <span className={classes.socket} data-state={state} aria-hidden="true">
      <Icon size={14} stroke={2} />
    </span>
  );
};
