/**
 * The editor of a definition: form left, JSON right, one document behind both. A change in the form
 * rewrites the JSON; valid JSON refills the form; invalid JSON leaves the form as it was and says so.
 */
import { lazy, Suspense, useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import type { JsonObject } from '@dcos/base';
import { PageFrame } from '../../app/page-frame.tsx';
import { ApiError, messageOf } from '../../api/http.ts';
import type { FieldFault } from '../../api/http.ts';
import { Button } from '../../components/button.tsx';
import { Notice, Skeleton } from '../../components/feedback.tsx';
import { plainFault, faultsBySection } from '../../model/form-faults.ts';
import type { FormSection } from '../../model/form-faults.ts';
import { EnvironmentSection } from './environment-section.tsx';
import type { SectionProps } from './form-lens.ts';
import { GeneralSection } from './general-section.tsx';
import { HealthSection } from './health-section.tsx';
import { MoreSection } from './more-section.tsx';
import { NetworkingSection } from './networking-section.tsx';
import { PlacementSection } from './placement-section.tsx';

const JsonEditor = lazy(async () => ({ default: (await import('./json-editor.tsx')).JsonEditor }));

const SECTIONS: readonly {
  readonly id: FormSection;
  readonly label: string;
  readonly Section: (props: SectionProps) => ReactElement;
}[] = [
  { id: 'general', label: 'General', Section: GeneralSection },
  { id: 'placement', label: 'Placement', Section: PlacementSection },
  { id: 'networking', label: 'Networking', Section: NetworkingSection },
  { id: 'health', label: 'Health checks', Section: HealthSection },
  { id: 'environment', label: 'Environment', Section: EnvironmentSection },
  { id: 'more', label: 'More', Section: MoreSection },
];

export interface DefinitionEditorProps {
  readonly title: string;
  readonly submitLabel: string;
  readonly definition: JsonObject;
  readonly onChange: (definition: JsonObject) => void;
  readonly onSubmit: () => void;
  readonly onCancel: () => void;
  readonly isPending: boolean;
  readonly error: Error | null;
  /** The id is fixed. */
  readonly isExisting?: boolean;
}

export function DefinitionEditor(props: DefinitionEditorProps): ReactElement {
  const { title, definition, onChange, error, isExisting = false } = props;
  const [section, setSection] = useState<FormSection>('general');
  const [showsJson, setShowsJson] = useState(true);
  const [syntaxError, setSyntaxError] = useState<string | undefined>(undefined);
  const faults = error instanceof ApiError ? error.faults : NO_FAULTS;
  const badges = useMemo(() => faultsBySection(faults), [faults]);
  const shown = SECTIONS.find(({ id }) => id === section) ?? SECTIONS[0];
  return (
    <PageFrame
      title={title}
      isBare
      actions={
        <>
          <Button
            icon="json"
            isPressed={showsJson}
            onPress={() => setShowsJson((before) => !before)}
          >
            JSON
          </Button>
          <Button onPress={props.onCancel}>Cancel</Button>
          <Button
            variant="primary"
            isDisabled={props.isPending || syntaxError !== undefined}
            onPress={props.onSubmit}
          >
            {props.submitLabel}
          </Button>
        </>
      }
    >
      <div className="editor-page" data-json={showsJson}>
        <div className="editor-form">
          <div className="tabs" role="tablist" aria-label="Sections">
            {SECTIONS.map(({ id, label }) => (
              <button
                key={id}
                type="button"
                role="tab"
                className="tab"
                aria-selected={id === section}
                onClick={() => setSection(id)}
              >
                {label}
                {badges[id] === undefined ? null : <span className="tab-badge">{badges[id]}</span>}
              </button>
            ))}
          </div>
          <SubmitError error={error} faults={faults} />
          {syntaxError === undefined ? null : (
            <Notice tone="warn" title="The JSON cannot be read">
              <p>The form shows the last readable state. {syntaxError}</p>
            </Notice>
          )}
          {shown === undefined ? null : (
            <fieldset
              className="form"
              disabled={syntaxError !== undefined}
              style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}
            >
              <legend className="visually-hidden">{shown.label}</legend>
              <shown.Section
                definition={definition}
                onChange={onChange}
                faults={faults}
                isExisting={isExisting}
              />
            </fieldset>
          )}
        </div>
        {showsJson ? (
          <section className="editor-json" aria-label="JSON">
            <header>
              <strong>JSON</strong>
              <span className={syntaxError === undefined ? 'muted' : 'field-error'} role="status">
                {syntaxError === undefined ? 'in step with the form' : 'syntax error'}
              </span>
            </header>
            <Suspense fallback={<EditorPlaceholder />}>
              <JsonEditor
                definition={definition}
                onChange={onChange}
                onSyntaxError={setSyntaxError}
              />
            </Suspense>
          </section>
        ) : null}
      </div>
    </PageFrame>
  );
}

const NO_FAULTS: readonly FieldFault[] = [];

function EditorPlaceholder(): ReactElement {
  return (
    <div style={{ padding: 18, display: 'grid', gap: 10 }}>
      {['12%', '48%', '40%', '30%', '34%', '12%'].map((width, index) => (
        <Skeleton key={index} width={width} height={12} />
      ))}
    </div>
  );
}

interface SubmitErrorProps {
  readonly error: Error | null;
  readonly faults: readonly FieldFault[];
}

function SubmitError({ error, faults }: SubmitErrorProps): ReactElement | null {
  if (error === null) return null;
  if (error instanceof ApiError && error.status === 409 && error.lockedBy.length > 0) {
    return (
      <Notice tone="bad" title="Held by a running deployment">
        <p>
          It is changing this service. Deploying again overrides it: it is cancelled where it
          stands.
        </p>
      </Notice>
    );
  }
  return (
    <Notice
      tone="bad"
      title={faults.length === 0 ? messageOf(error) : 'The server refused the definition'}
    >
      {faults.length === 0 ? null : (
        <ul className="notice-list">
          {faults.map((fault) => (
            <li key={fault.path}>
              <code>{fault.path}</code> {fault.errors.map(plainFault).join(' ')}
            </li>
          ))}
        </ul>
      )}
    </Notice>
  );
}
