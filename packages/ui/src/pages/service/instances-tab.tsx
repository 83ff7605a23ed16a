/** The instances of a service: where they run, how they are, their logs; kill one or many. */
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import { openOverlay } from '../../app/overlays.ts';
import type { App, MarathonTask } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { DataTable } from '../../components/data-table.tsx';
import type { Column, Sort } from '../../components/data-table.tsx';
import { Age, EmptyState } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { ActionMenu } from '../../components/menu.tsx';
import { Badge, TaskBadge } from '../../components/status.tsx';
import { countOf, shortTaskId } from '../../model/format.ts';
import { isOutdated } from '../../model/task-names.ts';

type Health = 'healthy' | 'unhealthy' | 'unknown' | 'none';

function healthOf(task: MarathonTask, hasChecks: boolean): Health {
  const results = task.healthCheckResults ?? [];
  if (results.some((result) => !result.alive)) return 'unhealthy';
  if (results.length > 0) return 'healthy';
  return hasChecks ? 'unknown' : 'none';
}

export function InstancesTab({ app }: { readonly app: App }): ReactElement {
  const [text, setText] = useState('');
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [sort, setSort] = useState<Sort>({ column: 'updated', direction: 'descending' });
  const tasks = app.tasks ?? [];
  const rows = useMemo(() => sortTasks(filterTasks(tasks, text), sort), [tasks, text, sort]);
  const alive = [...selected].filter((id) => tasks.some((task) => task.id === id));
  const columns = useMemo(
    () =>
      taskColumns({
        app,
        isSelected: (id) => selected.has(id),
        onToggle: (id) => setSelected((before) => toggled(before, id)),
      }),
    [app, selected],
  );
  const kill = (scale: boolean): void =>
    openOverlay({ kind: 'kill', appId: app.id, taskIds: alive, scale });
  return (
    <>
      <div className="toolbar">
        <div className="search">
          <Icon name="search" size={16} />
          <input
            className="input"
            data-page-search
            value={text}
            placeholder="Search instances by id, host or state"
            aria-label="Search instances"
            onChange={(event) => setText(event.target.value)}
          />
          {text === '' ? <kbd>/</kbd> : null}
        </div>
        <Button icon="restart" isDisabled={alive.length === 0} onPress={() => kill(false)}>
          Kill and restart
        </Button>
        <Button icon="stop" isDisabled={alive.length === 0} onPress={() => kill(true)}>
          Stop and scale down
        </Button>
      </div>
      <DataTable
        label="Instances"
        columns={columns}
        rows={rows}
        rowKey={(task) => task.id}
        sort={sort}
        onSort={setSort}
        isSelected={(task) => selected.has(task.id)}
        minWidth={900}
        empty={
          text === '' ? (
            <EmptyState title={app.instances === 0 ? 'Suspended' : 'No instance is running'}>
              {app.instances === 0
                ? 'The service is scaled to zero. Resume it to start instances again.'
                : `${countOf(app.instances, 'instance')} wanted. Instances appear here as soon as an offer fits.`}
            </EmptyState>
          ) : (
            <EmptyState title="No instance matches">Nothing fits “{text}”.</EmptyState>
          )
        }
      />
    </>
  );
}

function toggled(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(before);
  if (!next.delete(id)) next.add(id);
  return next;
}

function filterTasks(tasks: readonly MarathonTask[], text: string): readonly MarathonTask[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return tasks;
  return tasks.filter((task) =>
    [task.id, task.host, task.state].some((value) => value.toLowerCase().includes(wanted)),
  );
}

function sortTasks(tasks: readonly MarathonTask[], sort: Sort): readonly MarathonTask[] {
  const keyOf = (task: MarathonTask): string => {
    switch (sort.column) {
      case 'id':
        return task.id;
      case 'host':
        return task.host;
      case 'state':
        return task.state;
      case 'version':
        return task.version ?? '';
      default:
        return task.startedAt ?? task.stagedAt ?? '~';
    }
  };
  const sign = sort.direction === 'ascending' ? 1 : -1;
  return tasks.toSorted(
    (left, right) =>
      sign * keyOf(left).localeCompare(keyOf(right)) || left.id.localeCompare(right.id),
  );
}

interface TaskColumnsOptions {
  readonly app: App;
  readonly isSelected: (id: string) => boolean;
  readonly onToggle: (id: string) => void;
}

function taskColumns(options: TaskColumnsOptions): readonly Column<MarathonTask>[] {
  const { app, isSelected, onToggle } = options;
  const hasChecks = (app.healthChecks?.length ?? 0) > 0;
  return [
    {
      id: 'select',
      header: '',
      width: '44px',
      cell: (task) => (
        <input
          type="checkbox"
          aria-label={`Select ${task.id}`}
          checked={isSelected(task.id)}
          onChange={() => onToggle(task.id)}
        />
      ),
    },
    {
      id: 'id',
      header: 'Instance',
      width: 'minmax(130px, 1.2fr)',
      isSortable: true,
      cell: (task) => (
        <Link
          to="/services/detail/$appId"
          params={{ appId: app.id }}
          search={{ tab: 'logs', task: task.id }}
          className="mono truncate"
          style={{ display: 'block' }}
          title={task.id}
        >
          {shortTaskId(task.id)}
        </Link>
      ),
    },
    {
      id: 'state',
      header: 'State',
      width: '120px',
      isSortable: true,
      cell: (task) => <TaskBadge state={task.state} />,
    },
    {
      id: 'health',
      header: 'Health',
      width: '118px',
      cell: (task) => <HealthCell task={task} health={healthOf(task, hasChecks)} />,
    },
    {
      id: 'host',
      header: 'Host and ports',
      width: 'minmax(170px, 1.5fr)',
      isSortable: true,
      cell: (task) => <EndpointCell task={task} />,
    },
    {
      id: 'version',
      header: 'Version',
      width: '116px',
      isSortable: true,
      cell: (task) => (
        <span title={task.version}>
          {isOutdated(task, app) ? (
            <Badge tone="warn" text="outdated" />
          ) : (
            <span className="muted">current</span>
          )}
        </span>
      ),
    },
    {
      id: 'updated',
      header: 'Started',
      width: '104px',
      isSortable: true,
      cell: (task) => (
        <span className="muted">
          <Age timeMs={Date.parse(task.startedAt ?? task.stagedAt ?? '')} />
        </span>
      ),
    },
    {
      id: 'actions',
      header: '',
      width: '56px',
      align: 'end',
      cell: (task) => <TaskMenu app={app} task={task} />,
    },
  ];
}

function HealthCell({
  task,
  health,
}: {
  readonly task: MarathonTask;
  readonly health: Health;
}): ReactElement {
  if (health === 'none') return <span className="faint">no check</span>;
  if (health === 'unknown') return <Badge tone="idle" text="Unknown" />;
  const cause = task.healthCheckResults?.find((result) => !result.alive)?.lastFailureCause;
  return (
    <Badge
      tone={health === 'healthy' ? 'good' : 'bad'}
      text={health === 'healthy' ? 'Healthy' : 'Unhealthy'}
      title={cause ?? undefined}
    />
  );
}

function EndpointCell({ task }: { readonly task: MarathonTask }): ReactElement {
  const ports = task.ports ?? [];
  return (
    <span className="mono truncate" style={{ display: 'block' }}>
      {task.host}
      {ports.map((port, index) => (
        <span key={port}>
          {index === 0 ? ':' : ', '}
          <a href={`http://${task.host}:${port}/`} target="_blank" rel="noreferrer">
            {port}
          </a>
        </span>
      ))}
    </span>
  );
}

function TaskMenu({ app, task }: { readonly app: App; readonly task: MarathonTask }): ReactElement {
  const kill = (scale: boolean): void =>
    openOverlay({ kind: 'kill', appId: app.id, taskIds: [task.id], scale });
  return (
    <ActionMenu
      label={`Actions for ${shortTaskId(task.id)}`}
      size="small"
      actions={[
        {
          id: 'copy',
          label: 'Copy task id',
          icon: 'copy',
          run: () => void navigator.clipboard.writeText(task.id).catch(() => undefined),
        },
        {
          id: 'kill',
          label: 'Kill and restart',
          icon: 'restart',
          startsGroup: true,
          run: () => kill(false),
        },
        {
          id: 'stop',
          label: 'Stop and scale down',
          icon: 'stop',
          isDanger: true,
          run: () => kill(true),
        },
      ]}
    />
  );
}
