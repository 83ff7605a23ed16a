/** Form fields: label, control, hint, error; the error replaces the hint and is tied to the control. */
import { useId } from 'react';
import type { HTMLAttributes, ReactElement, ReactNode } from 'react';

interface FieldFrameProps {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly error?: string | undefined;
  readonly className?: string | undefined;
}

interface FieldFrameOwnProps extends FieldFrameProps {
  readonly id: string;
  readonly children: ReactNode;
}

function FieldFrame({
  id,
  label,
  hint,
  error,
  className,
  children,
}: FieldFrameOwnProps): ReactElement {
  return (
    <div className={className === undefined ? 'field' : `field ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children}
      {error === undefined ? null : (
        <p className="field-error" id={`${id}-note`}>
          {error}
        </p>
      )}
      {error !== undefined || hint === undefined ? null : (
        <p className="field-hint" id={`${id}-note`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export interface TextFieldProps extends FieldFrameProps {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string;
  readonly isMono?: boolean;
  readonly isMultiline?: boolean;
  readonly isReadOnly?: boolean;
  readonly autoFocus?: boolean;
  readonly inputMode?: HTMLAttributes<HTMLElement>['inputMode'];
}

export function TextField(props: TextFieldProps): ReactElement {
  const id = useId();
  const { value, onChange, placeholder, isMono = false, isMultiline = false } = props;
  const shared = {
    id,
    value,
    placeholder,
    readOnly: props.isReadOnly ?? false,
    autoFocus: props.autoFocus ?? false,
    inputMode: props.inputMode,
    spellCheck: false,
    autoComplete: 'off',
    className: isMono ? 'input mono' : 'input',
    'aria-invalid': props.error !== undefined,
    'aria-describedby': `${id}-note`,
  };
  return (
    <FieldFrame {...props} id={id}>
      {isMultiline ? (
        <textarea {...shared} rows={3} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input {...shared} type="text" onChange={(event) => onChange(event.target.value)} />
      )}
    </FieldFrame>
  );
}

export interface NumberFieldProps extends FieldFrameProps {
  readonly value: number | undefined;
  readonly onChange: (value: number | undefined) => void;
  readonly min?: number;
  readonly step?: number | 'any';
  readonly placeholder?: string;
  readonly autoFocus?: boolean;
}

export function NumberField(props: NumberFieldProps): ReactElement {
  const id = useId();
  const { value, onChange, min, step = 'any', placeholder, autoFocus = false } = props;
  return (
    <FieldFrame {...props} id={id}>
      <input
        id={id}
        type="number"
        className="input num"
        value={value ?? ''}
        min={min}
        step={step}
        placeholder={placeholder}
        autoFocus={autoFocus}
        aria-invalid={props.error !== undefined}
        aria-describedby={`${id}-note`}
        onChange={(event) => {
          const { value: text, valueAsNumber } = event.target;
          onChange(text === '' || Number.isNaN(valueAsNumber) ? undefined : valueAsNumber);
        }}
      />
    </FieldFrame>
  );
}

export interface SelectFieldProps<T extends string> extends FieldFrameProps {
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}

export function SelectField<T extends string>(props: SelectFieldProps<T>): ReactElement {
  const id = useId();
  const { value, options, onChange } = props;
  return (
    <FieldFrame {...props} id={id}>
      <select
        id={id}
        className="input"
        value={value}
        aria-describedby={`${id}-note`}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.target.value);
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </FieldFrame>
  );
}

export interface CheckFieldProps {
  readonly label: string;
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
}

export function CheckField({ label, isChecked, onChange }: CheckFieldProps): ReactElement {
  return (
    <label className="check">
      <input
        type="checkbox"
        checked={isChecked}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
