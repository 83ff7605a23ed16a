/** Health checks: how an instance shows that it works, and when it is given up. */
import type { ReactElement } from 'react';
import { NumberField, SelectField, TextField } from '../../components/field.tsx';
import { getIn, listAt, numberAt, setIn, textAt } from '../../model/app-json.ts';
import { lensOf, optional } from './form-lens.ts';
import type { SectionProps } from './form-lens.ts';
import { Repeat } from './repeat.tsx';

const PROTOCOLS = [
  { value: 'HTTP', label: 'HTTP, by Marathon' },
  { value: 'HTTPS', label: 'HTTPS, by Marathon' },
  { value: 'TCP', label: 'TCP, by Marathon' },
  { value: 'COMMAND', label: 'Command, on the node' },
  { value: 'MESOS_HTTP', label: 'HTTP, on the node' },
  { value: 'MESOS_HTTPS', label: 'HTTPS, on the node' },
  { value: 'MESOS_TCP', label: 'TCP, on the node' },
] as const;
type Protocol = (typeof PROTOCOLS)[number]['value'];

export function HealthSection(props: SectionProps): ReactElement {
  const { definition } = props;
  const { set } = lensOf(props);
  const checks = listAt(definition, ['healthChecks']);
  return (
    <Repeat
      title="Health checks"
      hint="Deployments wait until new instances are healthy; an instance that fails too often is replaced."
      addLabel="Add health check"
      columns="minmax(0, 1fr)"
      count={checks.length}
      onAdd={() =>
        set(
          ['healthChecks'],
          [
            ...checks,
            {
              protocol: 'HTTP',
              path: '/',
              portIndex: 0,
              gracePeriodSeconds: 10,
              intervalSeconds: 5,
              timeoutSeconds: 5,
              maxConsecutiveFailures: 3,
            },
          ],
        )
      }
      onRemove={(index) => {
        const next = checks.filter((_, at) => at !== index);
        set(['healthChecks'], next.length === 0 ? undefined : next);
      }}
      row={(index) => <HealthCheckRow {...props} index={index} />}
    />
  );
}

function HealthCheckRow(props: SectionProps & { readonly index: number }): ReactElement {
  const { definition, onChange, index } = props;
  const { set, fault } = lensOf(props);
  const path = ['healthChecks', index] as const;
  const name = textAt(definition, [...path, 'protocol']);
  const protocol = PROTOCOLS.find((option) => option.value === name)?.value ?? 'HTTP';
  const isCommand = protocol === 'COMMAND';
  const isTcp = protocol === 'TCP' || protocol === 'MESOS_TCP';
  const changeProtocol = (next: Protocol): void => {
    let changed = setIn(definition, [...path, 'protocol'], next);
    if (next === 'COMMAND') {
      changed = setIn(changed, [...path, 'path'], undefined);
      changed = setIn(changed, [...path, 'portIndex'], undefined);
      if (getIn(changed, [...path, 'command']) === undefined) {
        changed = setIn(changed, [...path, 'command'], { value: '' });
      }
    } else {
      changed = setIn(changed, [...path, 'command'], undefined);
      if (getIn(changed, [...path, 'port']) === undefined) {
        changed = setIn(
          changed,
          [...path, 'portIndex'],
          getIn(changed, [...path, 'portIndex']) ?? 0,
        );
      }
    }
    onChange(changed);
  };
  return (
    <div className="form-row">
      <SelectField<Protocol>
        className="half"
        label="Protocol"
        value={protocol}
        options={PROTOCOLS}
        onChange={changeProtocol}
        error={fault(path)}
      />
      {isCommand ? (
        <TextField
          className="half"
          label="Command"
          value={textAt(definition, [...path, 'command', 'value'])}
          onChange={(value) => set([...path, 'command', 'value'], value)}
          isMono
        />
      ) : (
        <>
          {isTcp ? null : (
            <TextField
              label="Path"
              value={textAt(definition, [...path, 'path'])}
              onChange={(value) => set([...path, 'path'], optional(value))}
              isMono
              placeholder="/"
            />
          )}
          <NumberField
            label="Port index"
            value={numberAt(definition, [...path, 'portIndex'])}
            onChange={(value) => set([...path, 'portIndex'], value)}
            min={0}
            step={1}
          />
        </>
      )}
      {(
        [
          ['gracePeriodSeconds', 'Grace period in s', '300'],
          ['intervalSeconds', 'Interval in s', '60'],
          ['timeoutSeconds', 'Timeout in s', '20'],
          ['maxConsecutiveFailures', 'Failures to replace', '3'],
        ] as const
      ).map(([member, label, placeholder]) => (
        <NumberField
          key={member}
          label={label}
          value={numberAt(definition, [...path, member])}
          onChange={(value) => set([...path, member], value)}
          min={0}
          step={1}
          placeholder={placeholder}
        />
      ))}
    </div>
  );
}
