import { useId, type ReactNode } from 'react';
import classes from './choice.module.css';

/** A few options side by side, one of them on: radio buttons that look like one strip. */
export const Choice = <Value extends string>({
  label,
  value,
  options,
  onChange,
  hideLabel = false,
}: {
  readonly label: string;
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: ReactNode }[];
  readonly onChange: (value: Value) => void;
  readonly hideLabel?: boolean;
}): ReactNode => {
  const name = useId();
  return (
    <fieldset>
      <legend className={hideLabel ? 'ct-only-read' : classes.legend}>{label}</legend>
      <div className={classes.strip}>
        {options.map((option) => (
          <label key={option.value} className={classes.option}>
            <input
              type="radio"
              className={classes.input}
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
};
