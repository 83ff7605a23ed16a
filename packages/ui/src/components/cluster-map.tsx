/**
 * The cluster map: each node as a strip, filled by its tasks in the width of their share, coloured
 * per service; hatched room is free. Pointing at a task lights its siblings on all nodes.
 */
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import type { MesosAgent } from '../api/types.ts';
import { clusterRevision, clusterState } from '../live/mesos-stream.ts';
import { useStore } from '../live/store.ts';
import { isActiveState } from '../model/cluster-state.ts';
import type { ClusterTask } from '../model/cluster-state.ts';
import { formatMebibytes, formatNumber } from '../model/format.ts';
import { nodeFigures } from '../model/node-figures.ts';
import { appIdOfTask, colorOf } from '../model/task-names.ts';

export type MapResource = 'cpus' | 'mem';

/** Nodes drawn at once; the rest is counted in a line below. */
const NODES_MAX = 240;

export interface ClusterMapProps {
  readonly agents: readonly MesosAgent[];
  readonly resource: MapResource;
}

export function ClusterMap({ agents, resource }: ClusterMapProps): ReactElement {
  const byAgent = useActiveTasksByAgent();
  const [hot, setHot] = useState<string | undefined>(undefined);
  const navigate = useNavigate();
  const shown = agents.slice(0, NODES_MAX);
  return (
    <>
      <div
        className="map"
        {...(hot === undefined ? {} : { 'data-hot': '' })}
        onMouseLeave={() => setHot(undefined)}
      >
        {shown.map((agent) => (
          <MapNode
            key={agent.id}
            agent={agent}
            tasks={byAgent.get(agent.id) ?? []}
            resource={resource}
            hot={hot}
            onHot={setHot}
            onOpen={(appId) => void navigate({ to: '/services/detail/$appId', params: { appId } })}
          />
        ))}
      </div>
      {agents.length > shown.length ? (
        <p className="muted" style={{ marginTop: 12 }}>
          {agents.length - shown.length} more nodes are in the table.
        </p>
      ) : null}
    </>
  );
}

interface MapNodeProps extends Omit<ClusterMapProps, 'agents'> {
  readonly agent: MesosAgent;
  readonly tasks: readonly ClusterTask[];
  readonly hot: string | undefined;
  readonly onHot: (appId: string | undefined) => void;
  readonly onOpen: (appId: string) => void;
}

function MapNode({ agent, tasks, resource, hot, onHot, onOpen }: MapNodeProps): ReactElement {
  const figures = nodeFigures(agent);
  const amount = figures[resource];
  return (
    <section className="map-node" aria-label={`Node ${agent.hostname}`}>
      <header>
        <Link to="/nodes/$agentId" params={{ agentId: agent.id }} className="truncate">
          {agent.hostname}
        </Link>
        {figures.isPublic ? <span className="chip">public</span> : null}
      </header>
      <div className="map-room">
        {tasks.map((task) => {
          const appId = appIdOfTask(task);
          const share = resource === 'cpus' ? task.cpus : task.memMebibytes;
          return (
            <button
              key={task.id}
              type="button"
              className="map-task"
              data-bad={task.healthy === false}
              data-hot={hot === appId}
              style={{
                width: `${amount.total > 0 ? (share / amount.total) * 100 : 0}%`,
                background: task.healthy === false ? undefined : `var(--map-${colorOf(appId)})`,
              }}
              title={`${appId}\n${formatNumber(task.cpus)} CPU, ${formatMebibytes(task.memMebibytes)}`}
              aria-label={`${appId} on ${agent.hostname}`}
              onMouseEnter={() => onHot(appId)}
              onFocus={() => onHot(appId)}
              onBlur={() => onHot(undefined)}
              onClick={() => onOpen(appId)}
            />
          );
        })}
      </div>
      <div className="map-foot">
        <span>{tasks.length === 1 ? '1 task' : `${tasks.length} tasks`}</span>
        <span>
          {resource === 'cpus'
            ? `${formatNumber(amount.used)} of ${formatNumber(amount.total)} CPU`
            : `${formatMebibytes(amount.used)} of ${formatMebibytes(amount.total)}`}
        </span>
      </div>
    </section>
  );
}

function useActiveTasksByAgent(): ReadonlyMap<string, readonly ClusterTask[]> {
  const revision = useStore(clusterRevision);
  return useMemo(() => {
    const byAgent = new Map<string, ClusterTask[]>();
    // The revision is what makes the state, which changes in place, new to this memo.
    if (revision < 0) return byAgent;
    for (const task of clusterState().tasks.values()) {
      if (!isActiveState(task.state)) continue;
      const tasks = byAgent.get(task.agentId);
      if (tasks === undefined) byAgent.set(task.agentId, [task]);
      else tasks.push(task);
    }
    for (const tasks of byAgent.values()) {
      tasks.sort((left, right) => appIdOfTask(left).localeCompare(appIdOfTask(right)));
    }
    return byAgent;
  }, [revision]);
}
