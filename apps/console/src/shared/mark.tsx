import { IconCheck, IconQuestionMark, IconX } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import book from './book.module.css';

/** Good, bad or unknown: a shape and a word, never the colour alone. */
export const Mark = ({
  state,
  children,
}: {
  readonly state: 'good' | 'bad' | 'unknown';
  readonly children: ReactNode;
}): ReactNode => {
  const Icon = { good: IconCheck, bad: IconX, unknown: IconQuestionMark }[state];
  return (
    <span className={{ good: book.good, bad: book.bad, unknown: book.dim }[state]} style={{ whiteSpace: 'nowrap' }}>
      <Icon size={14} stroke={2} aria-hidden="true" style={{ verticalAlign: '-2px', marginRight: 4 }} />
      {children}
    </span>
  );
};
