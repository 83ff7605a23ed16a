/** General: what runs, how often, with how much. */
import type { ReactElement } from 'react';
import { NumberField, SelectField, TextField, CheckField } from '../../components/field.tsx';
import { booleanAt, getIn, numberAt, objectAt, textAt } from '../../model/app-json.ts';
import { lensOf, optional } from './form-lens.ts';
import type { SectionProps } from './form-lens.ts';

type Runtime = 'command' | 'docker' | 'mesos';

export function GeneralSection(props: SectionProps): ReactElement {
  const { definition, isExisting } = props;
  const { set, fault } = lensOf(props);
  const runtime = runtimeOf(props);
  return (
    <>
      <div className="form-row">
        <TextField
          className="wide"
          label="Service id"
          value={textAt(definition, ['id'])}
          onChange={(id) => set(['id'], id)}
          isReadOnly={isExisting}
          isMono
          autoFocus={!isExisting}
          error={fault(['id'])}
          hint={
            isExisting ? 'The id of a service stays.' : 'Slashes make folders, such as /shop/web.'
          }
        />
        <NumberField
          label="Instances"
          value={numberAt(definition, ['instances'])}
          onChange={(instances) => set(['instances'], instances)}
          min={0}
          step={1}
          error={fault(['instances'])}
        />
      </div>
      <TextField
        label="Command"
        value={textAt(definition, ['cmd'])}
        onChange={(cmd) => set(['cmd'], optional(cmd) ?? '')}
        isMono
        isMultiline
        placeholder="python3 -m http.server $PORT0"
        error={fault(['cmd'])}
        hint={
          runtime === 'command'
            ? 'Run by /bin/sh -c. $PORT0 is the first port that the instance gets.'
            : 'Leave empty to run what the image runs by itself.'
        }
      />
      <div className="form-row">
        {(
          [
            ['cpus', 'CPU'],
            ['mem', 'Memory in MiB'],
            ['disk', 'Disk in MiB'],
            ['gpus', 'GPUs'],
          ] as const
        ).map(([member, label]) => (
          <NumberField
            key={member}
            label={label}
            value={numberAt(definition, [member])}
            onChange={(value) => set([member], value)}
            min={0}
            placeholder="0"
            error={fault([member])}
          />
        ))}
      </div>
      <h3 className="form-section-title">Runtime</h3>
      <div className="form-row">
        <SelectField<Runtime>
          label="Run as"
          value={runtime}
          options={[
            { value: 'command', label: 'Process' },
            { value: 'docker', label: 'Docker Engine' },
            { value: 'mesos', label: 'Universal runtime' },
          ]}
          onChange={(next) => setRuntime(props, next)}
        />
        {runtime === 'command' ? null : (
          <TextField
            className="wide"
            label="Image"
            value={textAt(definition, ['container', 'docker', 'image'])}
            onChange={(image) => set(['container', 'docker', 'image'], image)}
            isMono
            placeholder="python:3"
            error={fault(['container', 'docker', 'image'])}
          />
        )}
      </div>
      {runtime === 'docker' ? (
        <div style={{ display: 'flex', gap: 24 }}>
          <CheckField
            label="Pull the image before every start"
            isChecked={booleanAt(definition, ['container', 'docker', 'forcePullImage'])}
            onChange={(on) => set(['container', 'docker', 'forcePullImage'], on ? true : undefined)}
          />
          <CheckField
            label="Privileged"
            isChecked={booleanAt(definition, ['container', 'docker', 'privileged'])}
            onChange={(on) => set(['container', 'docker', 'privileged'], on ? true : undefined)}
          />
        </div>
      ) : null}
    </>
  );
}

function runtimeOf({ definition }: SectionProps): Runtime {
  if (getIn(definition, ['container']) === undefined) return 'command';
  return textAt(definition, ['container', 'type']) === 'MESOS' ? 'mesos' : 'docker';
}

function setRuntime(props: SectionProps, runtime: Runtime): void {
  const { set } = lensOf(props);
  if (runtime === 'command') {
    set(['container'], undefined);
    return;
  }
  const image = textAt(props.definition, ['container', 'docker', 'image']);
  set(['container'], {
    ...objectAt(props.definition, ['container']),
    type: runtime === 'mesos' ? 'MESOS' : 'DOCKER',
    docker: { ...objectAt(props.definition, ['container', 'docker']), image },
  });
}
