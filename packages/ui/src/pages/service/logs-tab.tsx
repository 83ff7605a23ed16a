/** The live log of an instance: which instance and which file are in the URL. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useClusterFacts } from '../../api/queries.ts';
import { downloadUrl, sandboxPath } from '../../api/mesos.ts';
import type { SandboxAddress } from '../../api/mesos.ts';
import type { App, MarathonTask } from '../../api/types.ts';
import { EmptyState } from '../../components/feedback.tsx';
import { LogViewer } from '../../components/log-viewer.tsx';
import { Segments } from '../../components/segments.tsx';
import { clusterRevision, clusterState } from '../../live/mesos-stream.ts';
import type { LogFile } from '../../live/log-source.ts';
import { useStore } from '../../live/store.ts';
import { useLog } from '../../live/use-log.ts';
import { shortTaskId } from '../../model/format.ts';
import { SandboxFiles } from './sandbox-files.tsx';

export function LogsTab({ app }: { readonly app: App }): ReactElement {
  const search = useSearch({ from: '/services/detail/$appId' });
  const navigate = useNavigate({ from: '/services/detail/$appId' });
  const choices = useTaskChoices(app, search.task);
  const task = choices.find((choice) => choice.id === search.task) ?? choices[0];
  const file: LogFile = search.file === 'stderr' ? 'stderr' : 'stdout';
  const showsFiles = search.file === 'files';
  const sandbox = useSandbox(task);
  const log = useLog({ taskId: showsFiles ? undefined : task?.id, file, sandbox });
  const choose = (change: { task?: string; file?: string }): void => {
    void navigate({
      params: { appId: app.id },
      search: (before) => ({ ...before, ...change }),
      replace: true,
    });
  };
  if (task === undefined) {
    return (
      <EmptyState title="No instance has run yet">
        Logs appear as soon as the first instance starts.
      </EmptyState>
    );
  }
  const choice = (
    <>
      <select
        className="input mono"
        style={{ width: 'auto', maxWidth: 260 }}
        aria-label="Instance"
        value={task.id}
        onChange={(event) => choose({ task: event.target.value })}
      >
        {choices.map((candidate) => (
          <option key={candidate.id} value={candidate.id}>
            {shortTaskId(candidate.id)} {candidate.note}
          </option>
        ))}
      </select>
      <Segments
        label="File"
        value={showsFiles ? 'files' : file}
        options={[
          { value: 'stdout', label: 'Output' },
          { value: 'stderr', label: 'Error' },
          { value: 'files', label: 'Files' },
        ]}
        onChange={(next) => choose({ file: next })}
      />
    </>
  );
  if (showsFiles) {
    return (
      <>
        <div className="toolbar">{choice}</div>
        {sandbox === undefined ? (
          <EmptyState title="The sandbox is not known">
            The node on which this instance ran is no longer part of the cluster.
          </EmptyState>
        ) : (
          <SandboxFiles key={task.id} sandbox={sandbox} />
        )}
      </>
    );
  }
  return (
    <LogViewer
      log={log}
      downloadHref={
        sandbox === undefined ? undefined : downloadUrl(sandbox.agentId, sandboxPath(sandbox, file))
      }
      choice={choice}
    />
  );
}

interface TaskChoice {
  readonly id: string;
  readonly agentId: string | undefined;
  readonly note: string;
}

/** Running instances, the one asked for, and the one that failed last. */
function useTaskChoices(app: App, asked: string | undefined): readonly TaskChoice[] {
  const choices: TaskChoice[] = (app.tasks ?? []).map((task: MarathonTask) => ({
    id: task.id,
    agentId: task.slaveId,
    note: `on ${task.host}`,
  }));
  const failure = app.lastTaskFailure;
  const has = (id: string): boolean => choices.some((choice) => choice.id === id);
  if (failure !== undefined && !has(failure.taskId)) {
    choices.push({ id: failure.taskId, agentId: failure.slaveId, note: 'last failure' });
  }
  if (asked !== undefined && !has(asked))
    choices.push({ id: asked, agentId: undefined, note: 'ended' });
  return choices;
}

function useSandbox(task: TaskChoice | undefined): SandboxAddress | undefined {
  useStore(clusterRevision);
  const frameworkId = useClusterFacts()?.frameworkId;
  if (task === undefined) return undefined;
  const known = clusterState().tasks.get(task.id);
  const agentId = task.agentId ?? known?.agentId;
  const framework = known?.frameworkId ?? frameworkId;
  if (agentId === undefined || framework === undefined) return undefined;
  const executorId = known === undefined || known.executorId === '' ? task.id : known.executorId;
  return { agentId, frameworkId: framework, executorId };
}
