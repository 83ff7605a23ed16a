/** Environment variables and labels. */
import { useRef, useState } from 'react';
import type { ReactElement } from 'react';
import { TextField } from '../../components/field.tsx';
import { getIn, objectOfRows, rowsAt, sameDocument } from '../../model/app-json.ts';
import type { MapRow } from '../../model/app-json.ts';
import { lensOf } from './form-lens.ts';
import type { SectionProps } from './form-lens.ts';
import { Repeat } from './repeat.tsx';

export function EnvironmentSection(props: SectionProps): ReactElement {
  return (
    <>
      <MapRows
        {...props}
        member="env"
        title="Environment variables"
        addLabel="Add variable"
        hint="Given to the process; its own ports and ids come in addition."
      />
      <MapRows
        {...props}
        member="labels"
        title="Labels"
        addLabel="Add label"
        hint="For searching, for load balancers and for people."
      />
    </>
  );
}

interface MapRowsProps extends SectionProps {
  readonly member: 'env' | 'labels';
  readonly title: string;
  readonly addLabel: string;
  readonly hint: string;
}

/**
 * Rows are kept beside the document while they are edited, since a row without a name, or with the
 * name of another one for a moment, has no place in an object.
 */
function MapRows(props: MapRowsProps): ReactElement {
  const { definition, member, title, addLabel, hint } = props;
  const { set, fault } = lensOf(props);
  const [rows, setRows] = useState<readonly MapRow[]>(() => rowsAt(definition, [member]));
  const written = useRef(getIn(definition, [member]));
  const actual = getIn(definition, [member]);
  if (!sameDocument(written.current, actual)) {
    // The document was changed elsewhere (in the JSON): the rows follow it.
    written.current = actual;
    setRows(rowsAt(definition, [member]));
  }
  const write = (next: readonly MapRow[]): void => {
    setRows(next);
    const object = objectOfRows(next);
    written.current = object;
    set([member], object);
  };
  return (
    <Repeat
      title={title}
      hint={hint}
      addLabel={addLabel}
      columns="minmax(0, 1fr) minmax(0, 1.4fr)"
      count={rows.length}
      onAdd={() => setRows([...rows, { name: '', value: '' }])}
      onRemove={(index) => write(rows.filter((_, at) => at !== index))}
      row={(index) => {
        const row = rows[index] ?? { name: '', value: '' };
        const text = typeof row.value === 'string' ? row.value : undefined;
        return (
          <>
            <TextField
              label="Name"
              value={row.name}
              isMono
              onChange={(name) =>
                write(rows.map((entry, at) => (at === index ? { ...entry, name } : entry)))
              }
              error={row.name === '' ? undefined : fault([member, row.name])}
            />
            <TextField
              label="Value"
              value={text ?? JSON.stringify(row.value)}
              isMono
              isReadOnly={text === undefined}
              onChange={(value) =>
                write(rows.map((entry, at) => (at === index ? { ...entry, value } : entry)))
              }
              {...(text !== undefined ? {} : { hint: 'Not a text: edit it in the JSON.' })}
            />
          </>
        );
      }}
    />
  );
}
