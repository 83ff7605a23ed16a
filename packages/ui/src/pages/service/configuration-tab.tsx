/** The definition of a service in each of its versions; an old one is compared and applied. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import { showToast } from '../../app/toasts.tsx';
import { messageOf } from '../../api/http.ts';
import { updateApp } from '../../api/marathon.ts';
import { queryKeys, useVersion, useVersions } from '../../api/queries.ts';
import type { App } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { CopyButton, ErrorState, Skeleton } from '../../components/feedback.tsx';
import { JsonText } from '../../components/json-text.tsx';
import { Segments } from '../../components/segments.tsx';
import { editableDefinition, formatDefinition } from '../../model/app-json.ts';
import { countOf, formatTimestamp } from '../../model/format.ts';
import { diffLines, foldDiff } from '../../model/json-diff.ts';

export function ConfigurationTab({ app }: { readonly app: App }): ReactElement {
  const search = useSearch({ from: '/services/detail/$appId' });
  const navigate = useNavigate({ from: '/services/detail/$appId' });
  const versions = useVersions(app.id);
  const all = versions.data ?? (app.version === undefined ? [] : [app.version]);
  const newest = app.version ?? all[0];
  const chosen = search.version ?? newest;
  const isOld = chosen !== newest;
  const [view, setView] = useState<'definition' | 'changes'>('definition');
  const shown = useVersion(app.id, chosen);
  const current = useVersion(app.id, newest);
  const client = useQueryClient();
  const apply = useMutation({
    mutationFn: () => updateApp(app.id, { version: chosen ?? '' }),
    onSuccess: () => {
      showToast(
        'good',
        `${app.id} goes back to the version of ${formatTimestamp(Date.parse(chosen ?? ''))}.`,
      );
      void client.invalidateQueries({ queryKey: queryKeys.versions(app.id) });
      void navigate({ params: { appId: app.id }, search: { tab: 'configuration' }, replace: true });
    },
    onError: (error) => showToast('bad', messageOf(error)),
  });
  const text = shown.data === undefined ? '' : formatDefinition(editableDefinition(shown.data));
  const currentText =
    current.data === undefined ? '' : formatDefinition(editableDefinition(current.data));
  return (
    <section className="panel" aria-label="Configuration">
      <div className="logs-bar">
        <select
          className="input num"
          style={{ width: 'auto' }}
          aria-label="Version"
          value={chosen ?? ''}
          onChange={(event) =>
            void navigate({
              params: { appId: app.id },
              search: { tab: 'configuration', version: event.target.value },
              replace: true,
            })
          }
        >
          {all.map((version) => (
            <option key={version} value={version}>
              {formatTimestamp(Date.parse(version))}
              {version === newest ? ' (current)' : ''}
            </option>
          ))}
        </select>
        {isOld ? (
          <Segments
            label="View"
            value={view}
            options={[
              { value: 'definition', label: 'Definition' },
              { value: 'changes', label: 'Changes from current' },
            ]}
            onChange={setView}
          />
        ) : null}
        <span style={{ flex: 1 }} />
        <CopyButton text={text} label="Copy JSON" />
        <Button
          variant="primary"
          isDisabled={!isOld || apply.isPending || shown.data === undefined}
          onPress={() => apply.mutate()}
        >
          Apply this version
        </Button>
      </div>
      <div className="panel-body">
        {shown.error === null ? null : <ErrorState what="This version" error={shown.error} />}
        {shown.isPending ? <Skeleton width="100%" height={320} /> : null}
        {shown.data === undefined ? null : isOld && view === 'changes' ? (
          <DiffView before={currentText} after={text} />
        ) : (
          <pre className="json-block" tabIndex={0} aria-label="Definition">
            <JsonText text={text} />
          </pre>
        )}
      </div>
    </section>
  );
}

interface DiffViewProps {
  readonly before: string;
  readonly after: string;
}

function DiffView({ before, after }: DiffViewProps): ReactElement {
  const blocks = useMemo(() => foldDiff(diffLines(before, after)), [before, after]);
  if (before === after) return <p className="muted">Both versions say the same.</p>;
  return (
    <div className="json-block" tabIndex={0} role="region" aria-label="Changes">
      {blocks.map((block, index) =>
        block.kind === 'hidden' ? (
          <div key={index} className="diff-hidden">
            {countOf(block.count, 'unchanged line')}
          </div>
        ) : (
          block.lines.map((line, at) => (
            <div
              key={`${index}-${at}`}
              className={line.kind === 'same' ? undefined : `diff-${line.kind}`}
            >
              {line.kind === 'add' ? '+ ' : line.kind === 'remove' ? '- ' : '  '}
              {line.text}
            </div>
          ))
        ),
      )}
    </div>
  );
}
