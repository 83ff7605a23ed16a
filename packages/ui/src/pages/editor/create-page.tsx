/** Run a service: the definition as a form and as JSON, always the same document. */
import { useMutation } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { ReactElement } from 'react';
import type { JsonObject } from '@dcos/base';
import { showToast } from '../../app/toasts.tsx';
import { createApp } from '../../api/marathon.ts';
import { newDefinition, submittableDefinition } from '../../model/app-json.ts';
import { DefinitionEditor } from './definition-editor.tsx';

export function CreatePage(): ReactElement {
  const { group } = useSearch({ from: '/create' });
  const [definition, setDefinition] = useState<JsonObject>(() => newDefinition(group ?? '/'));
  const navigate = useNavigate();
  const create = useMutation({
    mutationFn: () => createApp(submittableDefinition(definition)),
    onSuccess: (app) => {
      showToast('good', `${app.id} is being deployed.`);
      void navigate({ to: '/services/detail/$appId', params: { appId: app.id } });
    },
  });
  return (
    <DefinitionEditor
      title="Run a service"
      submitLabel="Run service"
      definition={definition}
      onChange={setDefinition}
      onSubmit={() => create.mutate()}
      onCancel={() =>
        void navigate({ to: '/services', search: group === undefined ? {} : { group } })
      }
      isPending={create.isPending}
      error={create.error}
    />
  );
}
