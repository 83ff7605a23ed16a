/** More: user, artifacts, upgrade strategy, backoff, stopping. */
import type { ReactElement } from 'react';
import { CheckField, NumberField, SelectField, TextField } from '../../components/field.tsx';
import { booleanAt, getIn, listAt, numberAt, textAt } from '../../model/app-json.ts';
import { lensOf, optional } from './form-lens.ts';
import type { SectionProps } from './form-lens.ts';
import { Repeat } from './repeat.tsx';

export function MoreSection(props: SectionProps): ReactElement {
  const { definition } = props;
  const { set, fault } = lensOf(props);
  const artifacts = listAt(definition, ['fetch']);
  return (
    <>
      <Repeat
        title="Artifacts"
        hint="Fetched into the sandbox before the start; archives are unpacked."
        addLabel="Add artifact"
        columns="minmax(0, 1fr) 130px"
        count={artifacts.length}
        onAdd={() => set(['fetch'], [...artifacts, { uri: '' }])}
        onRemove={(index) => {
          const next = artifacts.filter((_, at) => at !== index);
          set(['fetch'], next.length === 0 ? undefined : next);
        }}
        row={(index) => (
          <>
            <TextField
              label="URI"
              value={textAt(definition, ['fetch', index, 'uri'])}
              onChange={(uri) => set(['fetch', index, 'uri'], uri)}
              isMono
              error={fault(['fetch', index])}
            />
            <div style={{ marginTop: 29 }}>
              <CheckField
                label="Executable"
                isChecked={booleanAt(definition, ['fetch', index, 'executable'])}
                onChange={(isOn) => set(['fetch', index, 'executable'], isOn ? true : undefined)}
              />
            </div>
          </>
        )}
      />
      <h3 className="form-section-title">Upgrades</h3>
      <div className="form-row">
        {(
          [
            ['minimumHealthCapacity', 'Healthy share kept'],
            ['maximumOverCapacity', 'Share added on top'],
          ] as const
        ).map(([member, label]) => (
          <NumberField
            key={member}
            className="half"
            label={label}
            value={numberAt(definition, ['upgradeStrategy', member])}
            onChange={(value) => set(['upgradeStrategy'], strategyWith(props, member, value))}
            min={0}
            placeholder="1"
            error={fault(['upgradeStrategy', member])}
            hint="From 0 to 1."
          />
        ))}
      </div>
      <h3 className="form-section-title">Failures and stopping</h3>
      <div className="form-row">
        {(
          [
            ['backoffSeconds', 'First delay in s', '1'],
            ['backoffFactor', 'Delay grows by', '1.15'],
            ['maxLaunchDelaySeconds', 'Longest delay in s', '300'],
            ['taskKillGracePeriodSeconds', 'Time to stop in s', '3'],
          ] as const
        ).map(([member, label, placeholder]) => (
          <NumberField
            key={member}
            label={label}
            value={numberAt(definition, [member])}
            onChange={(value) => set([member], value)}
            min={0}
            placeholder={placeholder}
            error={fault([member])}
          />
        ))}
      </div>
      <div className="form-row">
        <SelectField
          className="half"
          label="When scaling down, stop first"
          value={
            textAt(definition, ['killSelection']) === 'OLDEST_FIRST'
              ? 'OLDEST_FIRST'
              : 'YOUNGEST_FIRST'
          }
          options={[
            { value: 'YOUNGEST_FIRST', label: 'the youngest' },
            { value: 'OLDEST_FIRST', label: 'the oldest' },
          ]}
          onChange={(value) => set(['killSelection'], value)}
        />
        <TextField
          className="half"
          label="Run as user"
          value={textAt(definition, ['user'])}
          onChange={(user) => set(['user'], optional(user))}
          isMono
          error={fault(['user'])}
        />
      </div>
    </>
  );
}

/** Both members of the strategy are required once one is given; the other takes its default, 1. */
function strategyWith(
  { definition }: SectionProps,
  member: 'minimumHealthCapacity' | 'maximumOverCapacity',
  value: number | undefined,
): { minimumHealthCapacity: number; maximumOverCapacity: number } | undefined {
  const before = {
    minimumHealthCapacity: numberAt(definition, ['upgradeStrategy', 'minimumHealthCapacity']) ?? 1,
    maximumOverCapacity: numberAt(definition, ['upgradeStrategy', 'maximumOverCapacity']) ?? 1,
  };
  if (value === undefined && getIn(definition, ['upgradeStrategy']) === undefined) return undefined;
  return { ...before, [member]: value ?? 1 };
}
