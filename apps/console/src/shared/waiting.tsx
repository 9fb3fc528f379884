import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './waiting.module.css';

/** A still skeleton of the same geometry, after 150 ms; a sentence after four seconds. Nothing shimmers. */
export const Waiting = ({ rows, height }: { readonly rows: number; readonly height: number }): ReactNode => {
  const { t } = useTranslation();
  const [phase, setPhase] = useState<'nothing' | 'shape' | 'slow'>('nothing');
  useEffect(() => {
    const timers = [setTimeout(() => setPhase('shape'), 150), setTimeout(() => setPhase('slow'), 4000)];
    return () => timers.forEach(clearTimeout);
  }, []);
  if (phase === 'nothing') return null;
  return (
    <div aria-busy="true">
      {phase === 'slow' && <p className={classes.slow}>{t('problem.slow')}</p>}
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={classes.row} style={{ height }} />
      ))}
    </div>
  );
};
