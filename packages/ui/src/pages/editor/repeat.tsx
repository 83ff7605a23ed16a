/** A list of rows in the form with add and remove. */
import type { ReactElement, ReactNode } from 'react';
import { Button } from '../../components/button.tsx';

export interface RepeatProps {
  readonly title: string;
  readonly hint?: string;
  readonly addLabel: string;
  readonly count: number;
  readonly onAdd: () => void;
  readonly onRemove: (index: number) => void;
  readonly row: (index: number) => ReactNode;
  /** CSS grid tracks of a row, without the remove button. */
  readonly columns: string;
}

export function Repeat(props: RepeatProps): ReactElement {
  const { title, hint, addLabel, count, onAdd, onRemove, row, columns } = props;
  return (
    <div className="repeat">
      <div>
        <h3>{title}</h3>
        {hint === undefined ? null : <p className="field-hint">{hint}</p>}
      </div>
      {Array.from({ length: count }, (_, index) => (
        <div className="repeat-row" key={index} style={{ gridTemplateColumns: `${columns} 34px` }}>
          {row(index)}
          <div style={{ marginTop: 24 }}>
            <Button
              icon="close"
              label={`Remove ${title.toLowerCase()} row ${index + 1}`}
              variant="ghost"
              onPress={() => onRemove(index)}
            />
          </div>
        </div>
      ))}
      <div>
        <Button icon="plus" size="small" onPress={onAdd}>
          {addLabel}
        </Button>
      </div>
    </div>
  );
}
