import type { ReactNode } from 'react';
import classes from './seal.module.css';

export type SealState = 'proven' | 'gap' | 'altered' | 'unchecked';

const holes = Array.from({ length: 24 }, (_, index) => {
  const angle = (index / 24) * 2 * Math.PI;
  return { x: 28 + 25 * Math.cos(angle), y: 28 + 25 * Math.sin(angle) };
});

/** The verdict on a record or a history: a punched ring with a check, a broken ring, a cross, or a dotted ring. Its words stand beside it. */
export const Seal = ({ state }: { readonly state: SealState }): ReactNode => (
  <svg viewBox="0 0 56 56" width="56" height="56" className={classes.seal} data-state={state} aria-hidden="true">
    {state === 'unchecked' ? (
      <circle cx="28" cy="28" r="24" className={classes.line} strokeDasharray="1.5 6.04" strokeLinecap="round" />
    ) : (
      <>
        <circle
          cx="28"
          cy="28"
          r="24"
          className={classes.body}
          strokeDasharray={state === 'gap' ? '118 33' : undefined}
          transform="rotate(-50 28 28)"
        />
        {holes.map(({ x, y }, index) => (
          <circle key={index} cx={x} cy={y} r="1.6" className={classes.hole} />
        ))}
      </>
    )}
    {state === 'proven' && <path d="M18 29 L25 36 L39 21" className={classes.sign} />}
    {state === 'altered' && <path d="M20 20 L36 36 M36 20 L20 36" className={classes.sign} />}
    {state === 'gap' && <path d="M28 18 V31 M28 37 V38" className={classes.sign} />}
    {state === 'unchecked' && <path d="M23 23 a5 5 0 1 1 6.5 5 q-1.5 .6 -1.5 3 M28 36.5 V37" className={classes.sign} />}
  </svg>
);
