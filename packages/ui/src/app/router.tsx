/** Routes of the console. Pages that are not the first view come in chunks of their own. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  redirect,
} from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { EmptyState, ErrorState } from '../components/feedback.tsx';
import { PageFrame } from './page-frame.tsx';
import { Shell } from './shell.tsx';

const root = createRootRoute({
  component: Shell,
  notFoundComponent: NotFound,
  errorComponent: ({ error }) => (
    <PageFrame title="Error">
      <ErrorState
        what="This page"
        error={error instanceof Error ? error : new Error(String(error))}
        onRetry={() => location.reload()}
      />
    </PageFrame>
  ),
});

function NotFound(): ReactElement {
  return (
    <PageFrame title="Not found">
      <EmptyState
        title="There is no such page"
        actions={<Link to="/dashboard">To the dashboard</Link>}
      >
        The address does not belong to any page of the console.
      </EmptyState>
    </PageFrame>
  );
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Members without a value are left out, so that addresses stay short. */
function textSearch<const K extends string>(
  names: readonly K[],
): (search: Record<string, unknown>) => { [name in K]?: string } {
  return (search) => {
    const found: { [name in K]?: string } = {};
    for (const name of names) {
      const value = optionalText(search[name]);
      if (value !== undefined) found[name] = value;
    }
    return found;
  };
}

const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/dashboard', replace: true });
  },
});

const dashboard = createRoute({
  getParentRoute: () => root,
  path: '/dashboard',
  component: lazyRouteComponent(
    () => import('../pages/dashboard/dashboard-page.tsx'),
    'DashboardPage',
  ),
});

const services = createRoute({
  getParentRoute: () => root,
  path: '/services',
  validateSearch: textSearch(['q', 'group', 'sort', 'dir']),
  component: lazyRouteComponent(
    () => import('../pages/services/services-page.tsx'),
    'ServicesPage',
  ),
});

const create = createRoute({
  getParentRoute: () => root,
  path: '/create',
  validateSearch: textSearch(['group']),
  component: lazyRouteComponent(() => import('../pages/editor/create-page.tsx'), 'CreatePage'),
});

const service = createRoute({
  getParentRoute: () => root,
  path: '/services/detail/$appId',
  validateSearch: textSearch(['tab', 'task', 'file', 'version']),
  component: lazyRouteComponent(() => import('../pages/service/service-page.tsx'), 'ServicePage'),
});

const edit = createRoute({
  getParentRoute: () => root,
  path: '/services/edit/$appId',
  component: lazyRouteComponent(() => import('../pages/editor/edit-page.tsx'), 'EditPage'),
});

const deployments = createRoute({
  getParentRoute: () => root,
  path: '/deployments',
  component: lazyRouteComponent(
    () => import('../pages/deployments/deployments-page.tsx'),
    'DeploymentsPage',
  ),
});

const incidents = createRoute({
  getParentRoute: () => root,
  path: '/incidents',
  validateSearch: textSearch(['period']),
  component: lazyRouteComponent(
    () => import('../pages/incidents/incidents-page.tsx'),
    'IncidentsPage',
  ),
});

const nodes = createRoute({
  getParentRoute: () => root,
  path: '/nodes',
  validateSearch: textSearch(['q', 'sort', 'dir', 'view']),
  component: lazyRouteComponent(() => import('../pages/nodes/nodes-page.tsx'), 'NodesPage'),
});

const node = createRoute({
  getParentRoute: () => root,
  path: '/nodes/$agentId',
  validateSearch: textSearch(['tab']),
  component: lazyRouteComponent(() => import('../pages/nodes/node-page.tsx'), 'NodePage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    index,
    dashboard,
    services,
    create,
    service,
    edit,
    deployments,
    incidents,
    nodes,
    node,
  ]),
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingMs: 0,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
