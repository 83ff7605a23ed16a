/** Edit a service: like creating one, fed from its present definition. */
import { useMutation } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactElement } from 'react';
import type { JsonObject } from '@dcos/base';
import { PageFrame } from '../../app/page-frame.tsx';
import { showToast } from '../../app/toasts.tsx';
import { ApiError } from '../../api/http.ts';
import { replaceApp } from '../../api/marathon.ts';
import { useServices, useVersion } from '../../api/queries.ts';
import { ErrorState, LoadingRows } from '../../components/feedback.tsx';
import { editableDefinition, submittableDefinition } from '../../model/app-json.ts';
import { shortName } from '../../model/format.ts';
import { DefinitionEditor } from './definition-editor.tsx';

export function EditPage(): ReactElement {
  const { appId } = useParams({ from: '/services/edit/$appId' });
  const { byId, isPending } = useServices();
  const version = byId.get(appId)?.app.version;
  // The version that editing began with: a change from elsewhere must not replace what is typed.
  const [begun, setBegun] = useState<string | undefined>(undefined);
  if (begun === undefined && version !== undefined) setBegun(version);
  const { data, error } = useVersion(appId, begun);
  if (data !== undefined) return <Editor appId={appId} initial={editableDefinition(data)} />;
  const missing =
    !isPending && version === undefined ? new Error(`${appId} does not exist.`) : null;
  const failure = error ?? missing;
  return (
    <PageFrame title={`Edit ${shortName(appId)}`}>
      {failure === null ? (
        <LoadingRows rows={5} label="Definition" />
      ) : (
        <ErrorState what="The definition" error={failure} />
      )}
    </PageFrame>
  );
}

function Editor({
  appId,
  initial,
}: {
  readonly appId: string;
  readonly initial: JsonObject;
}): ReactElement {
  const [definition, setDefinition] = useState<JsonObject>(initial);
  const navigate = useNavigate();
  const back = (): void => {
    void navigate({ to: '/services/detail/$appId', params: { appId } });
  };
  const save = useMutation({
    mutationFn: (force: boolean) =>
      replaceApp(appId, submittableDefinition(definition), force ? { force } : {}),
    onSuccess: () => {
      showToast('good', `${appId} is being updated.`);
      back();
    },
  });
  const isLocked = save.error instanceof ApiError && save.error.status === 409;
  return (
    <DefinitionEditor
      title={`Edit ${shortName(appId)}`}
      submitLabel={isLocked ? 'Override and deploy' : 'Deploy changes'}
      definition={definition}
      onChange={setDefinition}
      onSubmit={() => save.mutate(isLocked)}
      onCancel={back}
      isPending={save.isPending}
      error={save.error}
      isExisting
    />
  );
}
