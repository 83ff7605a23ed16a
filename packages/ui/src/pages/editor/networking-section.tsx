/** Networking: the mode, and the ports of an instance. */
import type { ReactElement } from 'react';
import { CheckField, NumberField, SelectField, TextField } from '../../components/field.tsx';
import {
  booleanAt,
  listAt,
  networkModeOf,
  numberAt,
  portsPath,
  textAt,
  withNetworkMode,
} from '../../model/app-json.ts';
import type { NetworkMode } from '../../model/app-json.ts';
import { lensOf, optional } from './form-lens.ts';
import type { SectionProps } from './form-lens.ts';
import { Repeat } from './repeat.tsx';

export function NetworkingSection(props: SectionProps): ReactElement {
  const { definition, onChange } = props;
  const { set, fault } = lensOf(props);
  const mode = networkModeOf(definition);
  const path = portsPath(definition);
  const ports = listAt(definition, path);
  const isHost = mode === 'host';
  return (
    <>
      <div className="form-row">
        <SelectField<NetworkMode>
          className="half"
          label="Network"
          value={mode}
          options={[
            { value: 'host', label: 'Host' },
            { value: 'bridge', label: 'Bridge' },
            { value: 'container', label: 'Named network' },
          ]}
          onChange={(next) => onChange(withNetworkMode(definition, next))}
          error={fault(['networks'])}
          hint={
            isHost
              ? 'Instances listen on the ports of their node.'
              : 'Instances have an address of their own; ports are mapped.'
          }
        />
        {mode === 'container' ? (
          <TextField
            className="half"
            label="Network name"
            value={textAt(definition, ['networks', 0, 'name'])}
            onChange={(name) => set(['networks', 0, 'name'], optional(name))}
            isMono
          />
        ) : null}
      </div>
      <Repeat
        title="Ports"
        hint={
          isHost
            ? 'Port 0 is assigned from the node, and given to the process as $PORT0, $PORT1 and so on.'
            : 'Host port 0 is assigned from the node.'
        }
        addLabel="Add port"
        columns={
          isHost ? 'minmax(0, 1fr) minmax(0, 2fr) 110px' : '120px 120px minmax(0, 1fr) 110px'
        }
        count={ports.length}
        onAdd={() =>
          set(path, [
            ...ports,
            isHost
              ? { port: 0, protocol: 'tcp' }
              : { containerPort: 0, hostPort: 0, protocol: 'tcp' },
          ])
        }
        onRemove={(index) => {
          const next = ports.filter((_, at) => at !== index);
          set(path, next.length === 0 ? undefined : next);
        }}
        row={(index) => (
          <>
            {isHost ? null : (
              <NumberField
                label="Container port"
                value={numberAt(definition, [...path, index, 'containerPort'])}
                onChange={(port) => set([...path, index, 'containerPort'], port)}
                min={0}
                step={1}
                error={fault([...path, index])}
              />
            )}
            <NumberField
              label={isHost ? 'Port' : 'Host port'}
              value={numberAt(definition, [...path, index, isHost ? 'port' : 'hostPort'])}
              onChange={(port) => set([...path, index, isHost ? 'port' : 'hostPort'], port)}
              min={0}
              step={1}
              {...(isHost ? { error: fault([...path, index]) } : {})}
            />
            <TextField
              label="Name"
              value={textAt(definition, [...path, index, 'name'])}
              onChange={(name) => set([...path, index, 'name'], optional(name))}
              isMono
              placeholder="http"
            />
            <SelectField
              label="Protocol"
              value={protocolOf(textAt(definition, [...path, index, 'protocol']))}
              options={[
                { value: 'tcp', label: 'TCP' },
                { value: 'udp', label: 'UDP' },
                { value: 'udp,tcp', label: 'Both' },
              ]}
              onChange={(protocol) => set([...path, index, 'protocol'], protocol)}
            />
          </>
        )}
      />
      {isHost ? (
        <CheckField
          label="Only run where exactly these ports are free"
          isChecked={booleanAt(definition, ['requirePorts'])}
          onChange={(isOn) => set(['requirePorts'], isOn ? true : undefined)}
        />
      ) : null}
    </>
  );
}

function protocolOf(text: string): 'tcp' | 'udp' | 'udp,tcp' {
  return text === 'udp' || text === 'udp,tcp' ? text : 'tcp';
}
