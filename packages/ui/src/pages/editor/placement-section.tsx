/** Placement: constraints and the roles whose resources may be used. */
import type { ReactElement } from 'react';
import { CheckField, SelectField, TextField } from '../../components/field.tsx';
import { listAt, textAt } from '../../model/app-json.ts';
import { lensOf } from './form-lens.ts';
import type { SectionProps } from './form-lens.ts';
import { Repeat } from './repeat.tsx';

const OPERATORS = ['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'UNLIKE', 'MAX_PER', 'IS'] as const;
type Operator = (typeof OPERATORS)[number];

const OPERATOR_HINTS: Readonly<Record<Operator, string>> = {
  UNIQUE: 'Every instance gets a different value.',
  CLUSTER: 'All instances have the same value.',
  GROUP_BY: 'Instances are spread evenly over the values.',
  LIKE: 'The value matches the regular expression.',
  UNLIKE: 'The value does not match the regular expression.',
  MAX_PER: 'At most this many instances for each value.',
  IS: 'The value is exactly this.',
};

export function PlacementSection(props: SectionProps): ReactElement {
  const { definition } = props;
  const { set, fault } = lensOf(props);
  const constraints = listAt(definition, ['constraints']);
  const roles = listAt(definition, ['acceptedResourceRoles']);
  const hasRole = (role: string): boolean => roles.includes(role);
  const setRole = (role: string, isOn: boolean): void => {
    const next = isOn ? [...roles, role] : roles.filter((entry) => entry !== role);
    set(['acceptedResourceRoles'], next.length === 0 ? undefined : next);
  };
  return (
    <>
      <Repeat
        title="Constraints"
        hint="On which nodes instances may run, and how they are spread."
        addLabel="Add constraint"
        columns="minmax(0, 1fr) 150px minmax(0, 1fr)"
        count={constraints.length}
        onAdd={() => set(['constraints'], [...constraints, ['hostname', 'UNIQUE']])}
        onRemove={(index) => {
          const next = constraints.filter((_, at) => at !== index);
          set(['constraints'], next.length === 0 ? undefined : next);
        }}
        row={(index) => {
          const path = ['constraints', index] as const;
          const field = textAt(definition, [...path, 0]);
          const name = textAt(definition, [...path, 1]).toUpperCase();
          const operator = OPERATORS.find((candidate) => candidate === name) ?? 'IS';
          const value = textAt(definition, [...path, 2]);
          const write = (next: { field?: string; operator?: Operator; value?: string }): void => {
            const written = { field, operator, value, ...next };
            const tail =
              written.operator === 'UNIQUE' || written.value === '' ? [] : [written.value];
            set(path, [written.field, written.operator, ...tail]);
          };
          return (
            <>
              <TextField
                label="Field"
                value={field}
                onChange={(next) => write({ field: next })}
                isMono
                placeholder="hostname"
                error={fault(path)}
              />
              <SelectField
                label="Operator"
                value={operator}
                options={OPERATORS.map((option) => ({ value: option, label: option }))}
                onChange={(next) => write({ operator: next })}
              />
              {operator === 'UNIQUE' ? (
                <p className="field-hint" style={{ alignSelf: 'center', marginTop: 20 }}>
                  {OPERATOR_HINTS[operator]}
                </p>
              ) : (
                <TextField
                  label="Value"
                  value={value}
                  onChange={(next) => write({ value: next })}
                  isMono
                  hint={OPERATOR_HINTS[operator]}
                />
              )}
            </>
          );
        }}
      />
      <div className="repeat">
        <div>
          <h3>Resource roles</h3>
          <p className="field-hint">Nothing chosen means all that the scheduler may use.</p>
        </div>
        <CheckField
          label="Public nodes (slave_public)"
          isChecked={hasRole('slave_public')}
          onChange={(isOn) => setRole('slave_public', isOn)}
        />
        <CheckField
          label="Unreserved resources (*)"
          isChecked={hasRole('*')}
          onChange={(isOn) => setRole('*', isOn)}
        />
        {fault(['acceptedResourceRoles']) === undefined ? null : (
          <p className="field-error">{fault(['acceptedResourceRoles'])}</p>
        )}
      </div>
    </>
  );
}
